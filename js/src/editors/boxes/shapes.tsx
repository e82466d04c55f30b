// Shapes over an image, in pixels of the screen.

import * as d from "../drawing";
import type { Size } from "../../viewing";

/** A place in the frame, in pixels. */
export type Spot = readonly [number, number];

interface ShapesProps {
  readonly draft: d.Draft;
  /** Where the next corner would be. */
  readonly tip: Spot | null;
  readonly colors: ReadonlyMap<string, number>;
  readonly frame: Size;
  readonly onScreen: (point: d.Point) => Spot;
}

/** Each line twice, a light one below one in the color of the class: seen on any image. */
export function Shapes({ draft, tip, colors, frame, onScreen }: ShapesProps) {
  const list = (points: readonly Spot[]) => points.map((spot) => spot.join(",")).join(" ");
  const color = (label: string) => `nblabel-k${colors.get(label) ?? 8}`;
  const open = [...draft.open.map(onScreen), ...(tip ? [tip] : [])];
  // The active one last, above all others.
  const order = [...draft.shapes.keys()].filter((k) => k !== draft.active);
  if (draft.active !== null && draft.active in draft.shapes) order.push(draft.active);
  return (
    <>
      <svg width={frame.width} height={frame.height} aria-hidden="true">
        {order.map((k) => {
          const shape = draft.shapes[k];
          if (!shape) return null;
          const active = k === draft.active;
          const points = d.outline(shape).map(onScreen);
          const names = ["nblabel-shape", color(shape.label)];
          if (active) names.push("nblabel-active");
          if (shape.suggested) names.push("nblabel-guess");
          return (
            <g key={k} class={names.join(" ")} data-shape={k}>
              {shape.kind === "point" ? (
                <Dot at={points[0] ?? [0, 0]} />
              ) : (
                <>
                  <polygon class="nblabel-halo" points={list(points)} />
                  <polygon class="nblabel-line" points={list(points)} />
                </>
              )}
              {active && shape.kind !== "point" && (
                <Handles points={points} chosen={chosenHandle(shape, draft.corner)} />
              )}
            </g>
          );
        })}
        {open.length > 0 && (
          <g class={`nblabel-shape nblabel-active ${color(draft.label)}`}>
            <polyline class="nblabel-halo" points={list(open)} />
            <polyline class="nblabel-line" points={list(open)} />
            <Handles points={draft.open.map(onScreen)} chosen={draft.open.length > 2 ? 0 : null} />
          </g>
        )}
      </svg>
      {draft.shapes.map((shape, k) => (
        <Name
          key={k}
          shape={shape}
          active={k === draft.active}
          color={color(shape.label)}
          frame={frame}
          onScreen={onScreen}
        />
      ))}
    </>
  );
}

function Name({
  shape,
  active,
  color,
  frame,
  onScreen,
}: {
  readonly shape: d.Shape;
  readonly active: boolean;
  readonly color: string;
  readonly frame: Size;
  readonly onScreen: (point: d.Point) => Spot;
}) {
  const { left, top, width, height } = d.bounds(shape);
  const [x, y] = onScreen([left, top]);
  const [right, bottom] = onScreen([left + width, top + height]);
  if (right < 0 || bottom < 0 || x > frame.width || y > frame.height) return null;
  const raise = shape.kind === "point" ? 10 : 2;
  // Above the shape, or inside where there is no room; at the edge where the view begins inside.
  const above = y > 20;
  return (
    <span
      class={`nblabel-shape-name ${color}${active ? " nblabel-active" : ""}`}
      style={{
        left: `${Math.max(0, x)}px`,
        top: `${above ? y - raise : Math.max(0, y) + raise}px`,
      }}
      data-above={above}
      dir="auto"
      aria-hidden="true"
    >
      {shape.label}
      {shape.suggested && " ?"}
    </span>
  );
}

/** The keys know two corners of a box, the pointer four. */
const chosenHandle = (shape: d.Shape, corner: number | null): number | null =>
  corner !== null && shape.kind === "box" ? corner * 2 : corner;

function Dot({ at: [x, y] }: { readonly at: Spot }) {
  return (
    <>
      <circle class="nblabel-halo" cx={x} cy={y} r={6} />
      <circle class="nblabel-line" cx={x} cy={y} r={6} />
      <circle class="nblabel-middle" cx={x} cy={y} r={1.5} />
    </>
  );
}

function Handles({
  points,
  chosen,
}: {
  readonly points: readonly Spot[];
  readonly chosen: number | null;
}) {
  return (
    <>
      {points.map(([x, y], k) => (
        <g key={k}>
          <rect
            class={`nblabel-handle${k === chosen ? " nblabel-chosen" : ""}`}
            x={x - 4}
            y={y - 4}
            width={8}
            height={8}
          />
          {/* What a finger hits is larger than what is seen. */}
          <circle class="nblabel-grip" data-handle={k} cx={x} cy={y} r={11} />
        </g>
      ))}
    </>
  );
}

/** Whether a place lies in a polygon, by the even-odd rule. */
export function contains(points: readonly Spot[], [x, y]: Spot): boolean {
  let within = false;
  for (let k = 0, last = points.length - 1; k < points.length; last = k++) {
    const [a, b] = [points[k], points[last]];
    if (!a || !b) continue;
    if (a[1] > y !== b[1] > y && x < a[0] + ((y - a[1]) * (b[0] - a[0])) / (b[1] - a[1]))
      within = !within;
  }
  return within;
}
