"""The servers that carry a chat: how each is installed and started, alone, with several processes, or behind NGINX."""
