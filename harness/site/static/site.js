// What a page can do beyond being read: its choices live in the address, so that a view can be linked.
(function () {
  "use strict";

  function all(selector, inside) {
    return Array.prototype.slice.call((inside || document).querySelectorAll(selector));
  }

  // Fill what the address has into a form; returns what its fields do not know.
  function fill(form, names) {
    var given = new URLSearchParams(location.search);
    return names.filter(function (name) {
      var field = form.elements[name];
      var value = given.get(name) || "";
      if (field.type === "checkbox") { field.checked = value === "yes"; return false; }
      field.value = value;
      if (field.selectedIndex >= 0) { return false; }
      field.value = "";
      return true;
    }).map(function (name) { return { name: name, value: given.get(name) }; });
  }

  function chosen(form, names) {
    var found = {};
    names.forEach(function (name) {
      var field = form.elements[name];
      var value = field.type === "checkbox" ? (field.checked ? "yes" : "") : field.value;
      if (value) { found[name] = value; }
    });
    return found;
  }

  function remember(found) {
    var query = Object.keys(found).map(function (name) { return name + "=" + encodeURIComponent(found[name]); }).join("&");
    history.replaceState(null, "", location.pathname + (query ? "?" + query : "") + location.hash);
  }

  // The answer to a Python and a Django, and the filters of the matrix.
  function matrix(form) {
    var names = ["python", "django", "library", "server", "verdict", "catch", "reason", "supported"];
    var count = form.querySelector("output");
    var answer = document.getElementById("answer");
    var cells = all(".matrix td[data-cell]").map(function (element) {
      return { element: element, row: element.parentNode, group: element.closest("section"), data: element.dataset };
    });
    var rows = all(".matrix tbody tr");
    var groups = all("section.group");
    var libraries = all("section.library");
    var columns = all(".matrix thead th[data-python]");
    var unknown = [];
    var captions = all(".matrix caption .counted").map(function (element) {
      return { element: element, whole: element.textContent, cells: cells.filter(function (cell) {
        return element.closest("table").contains(cell.element);
      }) };
    });

    function tell(wanted) {
      var template = wanted.python && wanted.django && all("template[data-python]").find(function (each) {
        return each.dataset.python === wanted.python && each.dataset.django === wanted.django;
      });
      answer.textContent = "";
      unknown.forEach(function (each) {
        answer.appendChild(document.createElement("p")).textContent =
          "“" + each.value + "” is none of the choices of " + each.name + ": nothing was measured with it.";
      });
      if (template) {
        answer.appendChild(template.content.cloneNode(true));
      } else if (wanted.python || wanted.django) {
        offer(wanted);
      }
      answer.hidden = !answer.firstChild;
    }

    // One of the two is chosen: each pair with it on which something was measured has an answer.
    function offer(wanted) {
      var line = answer.appendChild(document.createElement("p"));
      var there = all("template[data-python]").filter(function (each) {
        return !each.hasAttribute("data-unmeasured") &&
          (each.dataset.python === wanted.python || each.dataset.django === wanted.django);
      });
      if (!there.length) {
        line.textContent = "Nothing was measured with " +
          (wanted.python ? "Python " + wanted.python : "Django " + wanted.django) + ".";
        return;
      }
      line.appendChild(document.createTextNode(
        wanted.python ? "With Python " + wanted.python + " there are answers for Django " : "With Django " + wanted.django + " there are answers for Python "));
      there.forEach(function (each, number) {
        var link = document.createElement("a");
        link.href = "?python=" + each.dataset.python + "&django=" + each.dataset.django;
        link.textContent = wanted.python ? each.dataset.django : each.dataset.python;
        line.appendChild(document.createTextNode(number ? ", " : ""));
        line.appendChild(link);
      });
      line.appendChild(document.createTextNode("."));
    }

    function show() {
      var wanted = chosen(form, names);
      var asked = Object.keys(wanted);
      var shown = new Set();
      var number = 0;
      cells.forEach(function (cell) {
        var fits = asked.every(function (name) { return cell.data[name] === wanted[name]; });
        cell.element.classList.toggle("out", !fits);
        if (fits) {
          number += 1;
          [cell.row, cell.group, cell.group.parentNode.closest("section")].forEach(function (each) { shown.add(each); });
          shown.add(cell.group.getAttribute("aria-label") + cell.data.python);
        }
      });
      rows.concat(groups, libraries).forEach(function (element) { element.hidden = !shown.has(element); });
      columns.forEach(function (head) {
        var gone = !shown.has(head.closest("section").getAttribute("aria-label") + head.dataset.python);
        var place = head.cellIndex;
        all("tr", head.closest("table")).forEach(function (row) {
          if (row.cells[place]) { row.cells[place].hidden = gone; }
        });
      });
      captions.forEach(function (caption) {
        var left = caption.cells.filter(function (cell) { return !cell.element.classList.contains("out"); });
        var having = function (name, value) {
          return left.filter(function (cell) { return cell.data[name] === value; }).length;
        };
        var elsewhere = having("elsewhere", "yes");
        var caught = having("catch", "yes") - elsewhere;
        caption.element.textContent = asked.length
          ? "of those that fit, " + having("verdict", "works") + " of " + (left.length - having("verdict", "not tested"))
            + " work" + (caught ? ", " + caught + " of them with a catch" : "")
            + (elsewhere ? ", " + elsewhere + (caught ? " more" : "") + " perhaps, as others have it" : "")
          : caption.whole;
      });
      count.textContent = number + " of " + cells.length + " cells"
        + (number ? "" : ": nothing is like that. Leave one choice out, or take the nearest Python or Django.");
      count.parentNode.hidden = !asked.length;
      tell(wanted);
      return wanted;
    }

    var more = form.querySelector("details");
    more.hidden = false;
    form.addEventListener("change", function () { unknown = []; remember(show()); });
    form.addEventListener("submit", function (event) { event.preventDefault(); unknown = []; remember(show()); });
    form.addEventListener("reset", function (event) {
      event.preventDefault();
      history.replaceState(null, "", location.pathname);
      unknown = fill(form, names);
      show();
    });
    unknown = fill(form, names);
    more.open = names.slice(2).some(function (name) { return chosen(form, names)[name]; });
    show();
  }

  // Two libraries side by side, or two ways of them.
  function beside(form) {
    var names = ["left", "right", "differ"];
    var tables = all("table.beside").map(function (element) {
      var lines = all("tr", element);
      return {
        around: element.parentNode,
        rows: all("tbody tr", element),
        columns: all("thead th[data-column]", element).map(function (head) {
          return { name: head.dataset.column, way: head.hidden, place: head.cellIndex, rows: lines };
        })
      };
    });

    function show() {
      var wanted = chosen(form, names);
      var two = wanted.left && wanted.right && wanted.left !== wanted.right;
      var lost = 0, unasked = 0, where = [];
      var picked = function (name) { return form.elements[name].selectedOptions[0]; };
      var from = picked("left"), to = picked("right");
      var change = two && from.dataset.says !== to.dataset.says
        ? to.textContent + " instead of " + from.textContent + ": " + to.dataset.says + " It was: " + from.dataset.says + " "
        : "";
      tables.forEach(function (table) {
        var column = function (name) { return table.columns.find(function (each) { return each.name === name; }); };
        var left = column(wanted.left), right = column(wanted.right);
        table.columns.forEach(function (each) {
          var seen = each === left || each === right || (!two && !each.way);
          each.rows.forEach(function (row) {
            row.cells[each.place].hidden = !seen;
            row.cells[each.place].classList.toggle("left", each === left);
          });
        });
        var before = unasked;
        table.rows.forEach(function (row) {
          var one = two ? row.cells[left.place] : null, other = two ? row.cells[right.place] : null;
          var loses = Boolean(two && one.dataset.good === "yes" && other.dataset.good === "no");
          lost += loses ? 1 : 0;
          unasked += two && one.dataset.good && !other.dataset.good ? 1 : 0;
          row.classList.toggle("loses", loses);
          // What a way was not asked is no difference.
          var open = two && (left.way && one.querySelector(".dim") || right.way && other.querySelector(".dim"));
          row.hidden = Boolean(two && wanted.differ && (open || one.textContent === other.textContent));
        });
        // What stands before the first colon is the name of the set.
        if (unasked > before) where.push((unasked - before) + " of " + table.around.previousElementSibling.textContent.split(":")[0]);
        var empty = table.rows.every(function (row) { return row.hidden; });
        table.around.hidden = table.around.previousElementSibling.hidden = empty;
      });
      form.querySelector("output").textContent = two
        ? change + (lost ? lost + (lost === 1 ? " answer gets" : " answers get") + " worse by changing from the left to the right" : "No measured answer gets worse by changing from the left to the right")
          + (unasked ? "; " + unasked + (unasked === 1 ? " question was" : " questions were") + " not asked of the right: " + where.join(", ") + "." : ".")
        : "";
      return wanted;
    }

    form.hidden = false;
    form.addEventListener("change", function () { remember(show()); });
    form.addEventListener("submit", function (event) { event.preventDefault(); remember(show()); });
    fill(form, names);
    show();
  }

  // Names are written with hyphens here and with underscores there.
  function folded(text) {
    return text.toLowerCase().replace(/[-_\/]+/g, " ");
  }

  // What is looked for, among all there is.
  function search(list) {
    var wanted = (new URLSearchParams(location.search).get("q") || "").trim();
    document.querySelector("input[name=q]").value = wanted;
    if (!wanted) { return; }
    var words = folded(wanted).split(/\s+/).filter(Boolean);
    var found = all("li", list).map(function (entry) {
      var text = folded(entry.textContent + " " + (entry.dataset.also || ""));
      var near = words.map(function (word) {
        var length = word.length;
        while (length > 2 && text.indexOf(word.slice(0, length)) < 0) { length -= 1; }
        return length > 2 || text.indexOf(word) >= 0 ? length / word.length : 0;
      });
      return { entry: entry, near: near.reduce(function (sum, each) { return sum + each; }, 0) / words.length };
    });
    var fit = found.filter(function (each) { return each.near === 1; });
    var nearest = found.filter(function (each) { return each.near > 0.3; })
      .sort(function (one, other) { return other.near - one.near; }).slice(0, 5);
    var shown = new Set((fit.length ? fit : nearest).map(function (each) { return each.entry; }));
    found.forEach(function (each) { each.entry.hidden = !shown.has(each.entry); });
    document.getElementById("searched").textContent = fit.length
      ? fit.length + " entries for “" + wanted + "”."
      : "Nothing is called “" + wanted + "”. "
        + (nearest.length ? "The nearest to it:" : "Try one word of it, such as the name of a package.");
  }

  // Each column sorts its table, by number where there is one; once more turns it round.
  function sortable(table) {
    var body = table.tBodies[0];
    if (!body || body.rows.length < 3 || table.classList.contains("matrix") || all("[rowspan]", table).length) { return; }
    all("thead th", table).forEach(function (head) {
      var button = document.createElement("button");
      button.type = "button";
      while (head.firstChild) { button.appendChild(head.firstChild); }
      head.appendChild(button);
      button.addEventListener("click", function () {
        var down = head.getAttribute("aria-sort") === "ascending";
        all("th[aria-sort]", table).forEach(function (each) { each.removeAttribute("aria-sort"); });
        head.setAttribute("aria-sort", down ? "descending" : "ascending");
        var place = head.cellIndex;
        var key = function (row) { return row.cells[place] ? row.cells[place].textContent.trim() : ""; };
        var rows = Array.prototype.slice.call(body.rows);
        rows.sort(function (one, other) {
          return key(one).localeCompare(key(other), "en", { numeric: true }) * (down ? -1 : 1);
        });
        rows.forEach(function (row) { body.appendChild(row); });
      });
    });
  }

  // The frames of a cell, which lie compressed in their page.
  function frames(template) {
    var table = document.querySelector("main table");
    var packed = Uint8Array.from(atob(template.content.textContent), function (letter) { return letter.charCodeAt(0); });
    if (!window.DecompressionStream) { return; }
    new Response(new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"))).json().then(function (rows) {
      rows.forEach(function (row) {
        var line = table.tBodies[0].insertRow();
        row.forEach(function (text, place) {
          var cell = line.insertCell();
          cell.textContent = text;
          cell.className = place === 0 ? "number" : place === row.length - 1 ? "data" : "";
        });
      });
      table.hidden = false;
      document.getElementById("packed").hidden = true;
      sortable(table);
    });
  }

  // Each heading, row and note leads to itself.
  function permalink(heading) {
    var place = heading.id ? heading : heading.closest("tr[id], section[id], details[id]");
    if (!place || !place.id) { return; }
    var link = document.createElement("a");
    link.className = "permalink";
    link.href = "#" + place.id;
    link.textContent = "¶";
    if (/^H/.test(heading.tagName)) {
      link.setAttribute("aria-label", "Address of: " + heading.textContent.trim());
    } else {
      // Of rows and notes there are hundreds, which nobody wants to go through or be told with each cell.
      link.tabIndex = -1;
      link.setAttribute("aria-hidden", "true");
    }
    heading.appendChild(link);
  }

  // What is folded opens where an address leads into it.
  function unfold() {
    var target = location.hash.length > 1 && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    for (var each = target; each; each = each.parentElement) {
      if (each.tagName === "DETAILS") { each.open = true; }
    }
    if (target) { target.scrollIntoView(); }
  }

  var forms = { "form.filters": matrix, "form.beside": beside, "ul.searched": search, "template.frames": frames };
  Object.keys(forms).forEach(function (selector) {
    var found = document.querySelector("main " + selector);
    if (found) { forms[selector](found); }
  });
  all("main table").forEach(sortable);
  all("main h2, main h3, main tr[id] > th, main li[id]").forEach(permalink);
  if (/^http/.test(location.protocol)) {
    var here = new URL(document.querySelector("link[rel=stylesheet]").getAttribute("href").replace("static/site.css", "."), location.href);
    all("main pre, main code").forEach(function (each) {
      if (each.textContent.indexOf("https://this-site.example/") >= 0) {
        each.textContent = each.textContent.split("https://this-site.example/").join(here.href);
      }
    });
  }
  window.addEventListener("hashchange", unfold);
  unfold();
}());
