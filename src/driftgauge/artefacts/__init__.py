"""What Prometheus, Alertmanager and Grafana are given: values in, text out."""
