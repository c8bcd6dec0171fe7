"""What main returns is the reply; None is no reply. Packages go into a requirements.txt beside this file."""


def main(event):
    name = event.data["name"]
    print(f"greeting {name}")
    return {"type": "__NAME__.answered", "data": {"greeting": f"Hello, {name}!"}}
