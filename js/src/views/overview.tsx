// Where the map of all items is put, and the items that it shows one by one.

import { render } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";
import type { Controller } from "../controller";
import { isChoice, isMany } from "../keymap";
import type { MountedOverview, Overview, OverviewHost } from "../modules";
import { describe, MOST_SECONDS, type Item } from "../state";
import { View } from "./card";
import { useModule } from "./slots";

/** Letters that mean something on the map, unless labels have them. */
const LETTERS = /^[ctuo]$/;

export function OverviewSlot({
  controller,
  mounted,
  hidden,
  onClose,
}: {
  readonly controller: Controller;
  /** The map as it is mounted, for the keys. */
  readonly mounted: { current: MountedOverview | null };
  /** Something else stands in its place for a while. */
  readonly hidden: boolean;
  readonly onClose: () => void;
}) {
  const panel = useModule<Overview>(controller, "panel-map");
  const box = useRef<HTMLDivElement>(null);
  const { status } = controller.state.value;
  const ready = panel !== null && typeof panel !== "string";
  useLayoutEffect(() => {
    if (!ready || !box.current) return undefined;
    const made = panel.mount(box.current, hostOf(controller, onClose));
    mounted.current = made;
    return () => {
      mounted.current = null;
      made.destroy();
    };
  }, [panel]);
  const version = status ? [status.labeled, status.version, status.outside].join(".") : "";
  const counts = status ? JSON.stringify(status.counts) : "";
  useLayoutEffect(
    () => mounted.current?.changed(`${version} ${counts}`, status?.items ?? 0),
    [panel, version, counts, status?.items],
  );
  return (
    <div class="nblabel-overview" data-ready={ready} hidden={hidden}>
      <div ref={box} />
      {panel === null && <p class="nblabel-soft">Loading the map …</p>}
      {typeof panel === "string" && (
        <p class="nblabel-soft" role="alert">
          The map cannot be loaded: {panel}. Reload the page to try again.
        </p>
      )}
    </div>
  );
}

function hostOf(controller: Controller, close: () => void): OverviewHost {
  const { task } = controller.config;
  const own = Object.values(task.keys).some((key) => LETTERS.test(key));
  let since = Date.now();
  let shown: { readonly id: string; readonly item: Item } | null = null;
  return {
    task,
    shifted: isMany(task) || own,
    say: (text) => controller.say(text),
    chart: (wish) => controller.chart(wish),
    piece: (name, start) => controller.chartPiece(name, start),
    async show(el, id) {
      if (id === null) {
        render(null, el);
        return "";
      }
      const item = shown?.id === id ? shown.item : await controller.bring(id);
      shown = { id, item };
      render(<View item={item} suggestion={null} controller={controller} />, el);
      return describe(item);
    },
    label(items, value) {
      const now = Date.now();
      const seconds = Math.min(MOST_SECONDS, (now - since) / 1000);
      since = now;
      controller.labelPoints(items, value, seconds);
    },
    open(items) {
      if (isChoice(task)) controller.openPoints(items);
      else controller.say("Items of this kind are answered one by one.");
    },
    close,
  };
}
