// One page of the chat: shows what its WebSocket brings, and sends as the form says.
(function () {
  "use strict";
  var form = document.getElementById("chat");
  var input = document.getElementById("message");
  var list = document.getElementById("messages");
  var state = document.getElementById("state");
  // The library hands the heartbeat over as a JavaScript literal: a quoted text, or null.
  var heartbeat = JSON.parse(form.dataset.heartbeat);
  var socket;
  var attempt = 0;

  function show(text) {
    var item = document.createElement("li");
    item.textContent = text;
    list.appendChild(item);
  }

  function connect() {
    socket = new WebSocket(form.dataset.websocket);
    socket.onopen = function () { attempt = 0; state.textContent = "connected"; };
    socket.onmessage = function (event) { if (event.data !== heartbeat) { show(event.data); } };
    socket.onclose = function () {
      state.textContent = "connection lost, trying again";
      attempt += 1;
      setTimeout(connect, Math.min(500 * attempt, 5000));
    };
  }

  form.addEventListener("submit", function (event) {
    event.preventDefault();
    if (form.dataset.send === "websocket") {
      if (socket.readyState !== WebSocket.OPEN) { state.textContent = "not sent: not connected"; return; }
      socket.send(input.value);
      form.reset();
      return;
    }
    fetch(form.action, { method: "POST", body: new FormData(form), credentials: "same-origin" })
      .then(function (response) {
        if (!response.ok) { throw new Error("status " + response.status); }
        input.value = "";
        state.textContent = "sent";
      })
      .catch(function (error) { state.textContent = "not sent: " + error.message; });
  });

  connect();
}());
