// One page of a chat: shows what its connection brings, and sends as the form says.
(function () {
  "use strict";
  var form = document.getElementById("chat");
  var input = document.getElementById("message");
  var list = document.getElementById("messages");
  var state = document.getElementById("state");
  var audience = document.getElementById("audience");
  // A path of this server, or a whole address.
  var address = form.dataset.socket.replace(/^\//, location.origin.replace(/^http/, "ws") + "/");
  // django-websocket-redis hands its heartbeat over as a JavaScript literal: a quoted text, or null.
  var heartbeat = JSON.parse(form.dataset.heartbeat || "null");
  var socket;
  var attempt = 0;

  function show(message) {
    var item = document.createElement("li");
    item.textContent = message.sender ? message.sender + ": " + message.message : message;
    list.insertBefore(item, list.firstChild);
  }

  function showEvent(packet) {
    if (packet.slice(0, 2) === "42") { show(JSON.parse(packet.slice(2))[1]); }
  }

  function wrapEvent(message) { return "42" + JSON.stringify(["chat", message]); }

  // What each protocol puts around a message: nothing, JSON, JSON as a room of Channels has it, or Engine.IO 3 and 4 with Socket.IO inside.
  var protocols = {
    text: {
      wrap: function (message) { return message.message; },
      receive: function (data) { if (data !== heartbeat) { show(data); } }
    },
    json: {
      wrap: JSON.stringify,
      receive: function (data) { show(JSON.parse(data)); }
    },
    room: {
      wrap: function (message) { return JSON.stringify({ message: message.message }); },
      receive: function (data) { show(JSON.parse(data).message); }
    },
    "engine.io-3": {
      opened: function () { socket.pinging = setInterval(function () { socket.send("2"); }, 20000); },
      wrap: wrapEvent,
      receive: showEvent
    },
    "engine.io-4": {
      opened: function () { socket.send("40"); },
      wrap: wrapEvent,
      receive: function (data) { if (data === "2") { socket.send("3"); } else { showEvent(data); } }
    }
  };
  var protocol = protocols[form.dataset.protocol];

  function connect() {
    socket = new WebSocket(address);
    socket.onopen = function () {
      attempt = 0;
      state.textContent = "connected";
      if (protocol.opened) { protocol.opened(); }
    };
    socket.onmessage = function (event) { protocol.receive(event.data); };
    socket.onclose = function () {
      clearInterval(this.pinging);
      state.textContent = "connection lost, trying again";
      attempt += 1;
      setTimeout(connect, Math.min(500 * attempt, 5000));
    };
  }

  // django-socketio brings a client of its own, which connects and frames by itself.
  function connectByLibrary() {
    socket = new io.Socket();
    socket.on("connect", function () {
      JSON.parse(form.dataset.keys).forEach(function (key) { socket.subscribe("chat." + key); });
      state.textContent = "connected";
    });
    socket.on("message", show);
    socket.on("disconnect", function () { state.textContent = "connection lost"; });
    socket.connect();
  }

  function sent() {
    input.value = "";
    state.textContent = "sent";
  }

  function post() {
    fetch(form.action, { method: "POST", body: new FormData(form), credentials: "same-origin" })
      .then(function (response) {
        if (!response.ok) { throw new Error("status " + response.status); }
        sent();
      })
      .catch(function (error) { state.textContent = "not sent: " + error.message; });
  }

  form.addEventListener("submit", function (event) {
    var message = { channel: form.dataset.channel, audience: audience ? audience.value : "", message: input.value };
    event.preventDefault();
    if (form.dataset.send === "post") { post(); return; }
    if (protocol && socket.readyState !== WebSocket.OPEN) { state.textContent = "not sent: not connected"; return; }
    socket.send(protocol ? protocol.wrap(message) : message);
    sent();
  });

  // Whoever drives a browser asks for it: a page without its script says nothing of a library.
  form.dataset.script = "runs";
  if (protocol) { connect(); } else { connectByLibrary(); }
}());
