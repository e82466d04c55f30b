// What the model is after: beside the reason, or below where there is no room.

import type { StatusPart } from "../protocol";

export function Aim({ status }: { readonly status: StatusPart }) {
  if (!status.doing) return null;
  return (
    <small class="nblabel-aim" title={`What decides which item comes next: ${status.doing}`}>
      {status.doing}
    </small>
  );
}
