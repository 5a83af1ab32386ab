// The filters of the matrix: what they choose lives in the address, so that a view can be linked.
(function () {
  "use strict";
  var form = document.querySelector("form.filters");
  if (!form) { return; }
  var names = ["library", "server", "python", "django", "verdict", "reason", "supported"];
  var count = form.querySelector("output");
  var cells = Array.prototype.map.call(document.querySelectorAll(".matrix td[data-cell]"), function (element) {
    return { element: element, row: element.parentNode, group: element.closest("section"), data: element.dataset };
  });
  var rows = Array.prototype.slice.call(document.querySelectorAll(".matrix tbody tr"));
  var groups = Array.prototype.slice.call(document.querySelectorAll("section.group"));
  var libraries = Array.prototype.slice.call(document.querySelectorAll("section.library"));

  function chosen() {
    var found = {};
    names.forEach(function (name) {
      var field = form.elements[name];
      var value = field.type === "checkbox" ? (field.checked ? "yes" : "") : field.value;
      if (value) { found[name] = value; }
    });
    return found;
  }

  function show() {
    var wanted = chosen();
    var asked = Object.keys(wanted);
    var shown = new Set();
    var number = 0;
    cells.forEach(function (cell) {
      var fits = asked.every(function (name) { return cell.data[name] === wanted[name]; });
      cell.element.classList.toggle("out", !fits);
      if (fits) { number += 1; shown.add(cell.row); shown.add(cell.group); shown.add(cell.group.parentNode.closest("section")); }
    });
    rows.concat(groups, libraries).forEach(function (element) { element.hidden = !shown.has(element); });
    count.textContent = number + " of " + cells.length + " cells";
    return asked.map(function (name) { return name + "=" + encodeURIComponent(wanted[name]); }).join("&");
  }

  function read() {
    var given = new URLSearchParams(location.search);
    names.forEach(function (name) {
      var field = form.elements[name];
      var value = given.get(name) || "";
      if (field.type === "checkbox") { field.checked = value === "yes"; return; }
      field.value = value;
      if (field.selectedIndex < 0) { field.value = ""; }
    });
    show();
  }

  form.hidden = false;
  form.addEventListener("change", function () {
    var query = show();
    history.replaceState(null, "", location.pathname + (query ? "?" + query : "") + location.hash);
  });
  form.addEventListener("submit", function (event) { event.preventDefault(); });
  form.addEventListener("reset", function (event) {
    event.preventDefault();
    history.replaceState(null, "", location.pathname);
    read();
  });
  read();
}());
