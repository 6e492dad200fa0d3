"""Human approvals: a plug-in app that uses the engine through its public doors only."""
