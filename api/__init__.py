"""The HTTP face: REST, WebSocket, SSE, health, metrics and the dashboard's files."""
