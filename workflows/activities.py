"""Activities: registered Python code with side effects, called outside any transaction.

    @activity("shop.refund")
    def refund(order: str, amount: int, context: ActivityContext) -> dict[str, str]: ...

The JSON Schemas of input and answer come from the type hints. A parameter annotated with
`ActivityContext` receives it. Modules named `workflow_activities` of installed apps are imported
when the apps are ready.
"""
