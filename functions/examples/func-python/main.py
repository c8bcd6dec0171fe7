"""func: main(event) takes the event with its attributes and data; a dict with a type is a reply event."""


def main(event):
    total = sum(line["price"] * line["count"] for line in event.data["lines"])
    return {"type": "com.example.order.priced", "subject": event.attributes.get("subject"), "data": {"total": total}}
