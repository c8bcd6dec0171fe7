"""func: main(context) takes flask's request and the event; a tuple is a body and a status."""


def main(context):
    if context.request.method == "GET":
        return "POST an order", 405
    order = context.cloud_event.data
    return {"lines": len(order["lines"]), "order": context.cloud_event["subject"]}, 200
