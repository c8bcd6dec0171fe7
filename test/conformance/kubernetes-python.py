"""What a user of the official Python client does, against the API that the kubeconfig in argv[1] names."""

import sys

from kubernetes import client, config, dynamic, watch
from kubernetes.client.exceptions import ApiException

GROUP, VERSION, PLURAL = "eventing.knative.dev", "v1", "triggers"
PLACE = {"group": GROUP, "version": VERSION, "namespace": "default", "plural": PLURAL}


def trigger(name, event_type):
    return {
        "apiVersion": f"{GROUP}/{VERSION}",
        "kind": "Trigger",
        "metadata": {"name": name, "namespace": "default"},
        "spec": {
            "broker": "default",
            "filter": {"attributes": {"type": event_type}},
            "subscriber": {"uri": "http://127.0.0.1:1/"},
        },
    }


def said(name):
    return [event for event in seen if event[1] == name]


api = config.new_client_from_config(config_file=sys.argv[1])
objects = client.CustomObjectsApi(api)

assert client.VersionApi(api).get_code().major == "1"
assert "default" in [it.metadata.name for it in client.CoreV1Api(api).list_namespace().items]

objects.create_namespaced_custom_object(**PLACE, body=trigger("first", "a"))
listed = objects.list_namespaced_custom_object(**PLACE)
assert [it["metadata"]["name"] for it in listed["items"]] == ["first"], listed
place = listed["metadata"]["resourceVersion"]

# What happens after the list is seen by a watch from there, in order and once.
objects.create_namespaced_custom_object(**PLACE, body=trigger("second", "a"))
objects.patch_namespaced_custom_object(**PLACE, name="second", body={"metadata": {"labels": {"team": "blue"}}})
objects.delete_namespaced_custom_object(**PLACE, name="second")
seen = []
watching = watch.Watch()
for event in watching.stream(objects.list_namespaced_custom_object, **PLACE, resource_version=place):
    seen.append((event["type"], event["object"]["metadata"]["name"]))
    if event["type"] == "DELETED":
        watching.stop()
kinds = [kind for kind, _ in said("second")]
assert kinds[0] == "ADDED" and kinds[-1] == "DELETED" and set(kinds[1:-1]) == {"MODIFIED"}, kinds

# A watch that ends by itself goes on where it was.
ended = list(watch.Watch().stream(objects.list_namespaced_custom_object, **PLACE, timeout_seconds=1))
assert {event["object"]["metadata"]["name"] for event in ended} == {"first"}, ended

triggers = dynamic.DynamicClient(api).resources.get(api_version=f"{GROUP}/{VERSION}", kind="Trigger")
applied = triggers.server_side_apply(body=trigger("applied", "a"), namespace="default", field_manager="python")
assert applied.spec.filter.attributes.type == "a"
try:
    triggers.server_side_apply(body=trigger("applied", "b"), namespace="default", field_manager="other")
    raise AssertionError("expected a conflict")
except ApiException as conflict:
    assert conflict.status == 409, conflict
forced = triggers.server_side_apply(
    body=trigger("applied", "b"), namespace="default", field_manager="other", force_conflicts=True
)
assert forced.spec.filter.attributes.type == "b"
merged = triggers.patch(
    body={"apiVersion": f"{GROUP}/{VERSION}", "kind": "Trigger", "metadata": {"name": "applied"}, "spec": {"delivery": {"retry": 2}}},
    namespace="default",
    content_type="application/merge-patch+json",
)
assert merged.spec.delivery.retry == 2
triggers.delete(name="applied", namespace="default")
assert [it.metadata.name for it in triggers.get(namespace="default").items] == ["first"]
print("done")
