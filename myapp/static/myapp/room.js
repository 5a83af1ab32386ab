// A room: adds what its WebSocket brings to the log, and sends what is typed.
(function () {
  "use strict";
  var form = document.getElementById("chat-message-form");
  var input = document.getElementById("chat-message-input");
  var log = document.getElementById("chat-log");
  var state = document.getElementById("state");
  var address = location.origin.replace(/^http/, "ws") + form.dataset.socket;
  // What was typed while nothing is connected, to be sent as soon as something is.
  var unsent = [];
  var socket;
  var attempt = 0;

  function connect() {
    socket = new WebSocket(address);
    socket.onopen = function () {
      attempt = 0;
      state.textContent = "connected";
      unsent.splice(0).forEach(send);
    };
    socket.onmessage = function (event) {
      log.value += JSON.parse(event.data).message + "\n";
      log.scrollTop = log.scrollHeight;
    };
    socket.onclose = function () {
      state.textContent = "connection lost, trying again";
      attempt += 1;
      setTimeout(connect, Math.min(500 * attempt, 5000));
    };
  }

  function send(message) {
    if (socket.readyState === WebSocket.OPEN) {
      socket.send(JSON.stringify({ message: message }));
    } else {
      unsent.push(message);
    }
  }

  form.addEventListener("submit", function (event) {
    event.preventDefault();
    send(input.value);
    input.value = "";
  });

  connect();
  input.focus();
}());
