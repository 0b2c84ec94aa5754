"""Ray Serve deployments: the API ingress and the replicated models."""
