"""HTTP: the API, /metrics, the live stream and the dashboard, in one process and on one port."""
