"""What speaks to a server as its users' programs do: WebSockets, pages, polling, and real browsers."""
