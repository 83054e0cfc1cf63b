"""The Grafana dashboards, as code: `boards` says what they show, `panels` how Grafana writes it."""
