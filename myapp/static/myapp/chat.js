// One page of the chat: shows what its connection brings, and sends through it.
(function () {
  "use strict";
  var form = document.getElementById("chat");
  var list = document.getElementById("messages");
  var state = document.getElementById("state");
  var audience = document.getElementById("audience");
  var address = location.origin.replace(/^http/, "ws") + form.dataset.socket;
  var socket;
  var attempt = 0;

  function show(message) {
    var item = document.createElement("li");
    item.textContent = message.sender ? message.sender + ": " + message.message : message;
    list.appendChild(item);
  }

  // What each protocol puts around a message: nothing, JSON, or Engine.IO 3 and 4 with Socket.IO inside.
  var protocols = {
    text: {
      opened: function () {},
      send: function (message) { socket.send(message.message); },
      receive: show
    },
    json: {
      opened: function () {},
      send: function (message) { socket.send(JSON.stringify(message)); },
      receive: function (data) { show(JSON.parse(data)); }
    },
    "engine.io-3": {
      opened: function () { setInterval(function () { socket.send("2"); }, 20000); },
      send: function (message) { socket.send("42" + JSON.stringify(["chat", message])); },
      receive: function (data) { if (data.slice(0, 2) === "42") { show(JSON.parse(data.slice(2))[1]); } }
    },
    "engine.io-4": {
      opened: function () { socket.send("40"); },
      send: function (message) { socket.send("42" + JSON.stringify(["chat", message])); },
      receive: function (data) {
        if (data === "2") { socket.send("3"); }
        if (data.slice(0, 2) === "42") { show(JSON.parse(data.slice(2))[1]); }
      }
    }
  };
  // django-socketio brings a client of its own, which connects and frames by itself.
  var ofLibrary = {
    send: function (message) { socket.send(message); },
    connect: function () {
      socket = new io.Socket();
      socket.on("connect", function () {
        JSON.parse(form.dataset.keys).forEach(function (key) { socket.subscribe("chat." + key); });
        state.textContent = "connected";
      });
      socket.on("message", show);
      socket.on("disconnect", function () { state.textContent = "connection lost"; });
      socket.connect();
    }
  };
  var protocol = protocols[form.dataset.protocol] || ofLibrary;

  function connect() {
    if (protocol.connect) { protocol.connect(); return; }
    socket = new WebSocket(address);
    socket.onopen = function () { attempt = 0; state.textContent = "connected"; protocol.opened(); };
    socket.onmessage = function (event) { protocol.receive(event.data); };
    socket.onclose = function () {
      state.textContent = "connection lost, trying again";
      attempt += 1;
      setTimeout(connect, Math.min(500 * attempt, 5000));
    };
  }

  form.addEventListener("submit", function (event) {
    event.preventDefault();
    if (!protocol.connect && socket.readyState !== WebSocket.OPEN) { state.textContent = "not sent: not connected"; return; }
    protocol.send({
      channel: form.dataset.channel,
      audience: audience ? audience.value : "",
      message: form.elements.message.value
    });
    form.elements.message.value = "";
    state.textContent = "sent";
  });

  connect();
}());
