import { keyText, typeText } from './object.ts';
import type { KubernetesObject, ObjectKey, ObjectType } from './object.ts';

/** All objects of a type. Their names are put in order when they are asked for. */
interface Shelf {
  readonly objects: Map<string, KubernetesObject>;
  ordered: readonly string[] | undefined;
}

/** The objects as they are now. */
export class Present {
  readonly #shelves = new Map<string, Shelf>();

  get(key: ObjectKey): KubernetesObject | undefined {
    return this.#shelves.get(typeText(key))?.objects.get(placeOf(key));
  }

  /** Ordered by `namespace/name`, as etcd orders them. */
  list(type: ObjectType, namespace?: string): readonly KubernetesObject[] {
    const shelf = this.#shelves.get(typeText(type));
    if (shelf === undefined) return [];
    shelf.ordered ??= [...shelf.objects.keys()].toSorted();
    const places =
      namespace === undefined ? shelf.ordered : shelf.ordered.filter((place) => place.startsWith(`${namespace}/`));
    return places.map((place) => shelf.objects.get(place)!);
  }

  set(key: ObjectKey, object: KubernetesObject | undefined): void {
    const shelf = this.#shelfOf(key);
    const place = placeOf(key);
    if (object === undefined) {
      shelf.objects.delete(place);
      shelf.ordered = undefined;
      return;
    }
    if (!shelf.objects.has(place)) shelf.ordered = undefined;
    shelf.objects.set(place, object);
  }

  #shelfOf(type: ObjectType): Shelf {
    const text = typeText(type);
    let shelf = this.#shelves.get(text);
    if (shelf === undefined) {
      shelf = { objects: new Map(), ordered: undefined };
      this.#shelves.set(text, shelf);
    }
    return shelf;
  }
}

/** Changes on top of the present that are not made yet. */
export class Overlay {
  readonly #below: { get(key: ObjectKey): KubernetesObject | undefined };
  readonly #changed = new Map<string, { key: ObjectKey; object: KubernetesObject | undefined }>();

  constructor(below: { get(key: ObjectKey): KubernetesObject | undefined }) {
    this.#below = below;
  }

  get(key: ObjectKey): KubernetesObject | undefined {
    const changed = this.#changed.get(keyText(key));
    return changed === undefined ? this.#below.get(key) : changed.object;
  }

  set(key: ObjectKey, object: KubernetesObject | undefined): void {
    this.#changed.set(keyText(key), { key, object });
  }

  /** Makes the same changes elsewhere. */
  applyTo(other: { set(key: ObjectKey, object: KubernetesObject | undefined): void }): void {
    for (const { key, object } of this.#changed.values()) other.set(key, object);
  }
}

function placeOf({ namespace, name }: ObjectKey): string {
  return `${namespace}/${name}`;
}
