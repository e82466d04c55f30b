// The line above the item: the question, where labels are kept, what the model is doing.

import type { Controller } from "../controller";
import { count, countOf, fileName, lengthy } from "../format";
import { capOf, questionOf } from "../keymap";
import type { StatusPart } from "../protocol";
import { memo } from "./memo";

interface Props {
  readonly status: StatusPart | null;
  /** The kernel does not answer, and there are items to go on with. */
  readonly busy: boolean;
  readonly notice: string;
  /** What was chosen to be shown, if nobody said. */
  readonly about: string;
  readonly unsaved: number;
  readonly training: boolean;
  readonly controller: Controller;
  readonly folded: boolean;
  readonly onFold: () => void;
  readonly onAfter: () => void;
  readonly onCertify: () => void;
}

const CERTIFY = "Let the machine label the rest, with a proven bound on its errors";

export const Header = memo(function Header(props: Props) {
  const { status, controller, folded, onFold, onAfter } = props;
  const { config } = controller;
  const classes = config.task.classes;
  return (
    <>
      <div class="nblabel-bar" aria-hidden="true">
        {status &&
          classes.map((name, k) => (
            <i
              key={name}
              class={`nblabel-k${k % 10}`}
              style={{ width: `${(countOf(status, name) / status.items) * 100}%` }}
            />
          ))}
      </div>
      <header class="nblabel-top">
        <strong class="nblabel-question" dir="auto">
          {questionOf(config.task)}
        </strong>
        {config.instructions && (
          <button type="button" class="nblabel-link" aria-expanded={!folded} onClick={onFold}>
            instructions {folded ? "▸" : "▾"}
          </button>
        )}
        {props.about && <span class="nblabel-about">{props.about}</span>}
        {status && (
          <span class="nblabel-state">
            <span class="nblabel-learning">
              <Model
                status={status}
                training={props.training}
                controller={controller}
                onAfter={onAfter}
              />
              {status.version > 0 && status.certify?.state !== "verifying" && (
                <button
                  type="button"
                  class="nblabel-link"
                  title={`${CERTIFY} (${capOf(config.task, "certify")})`}
                  onClick={props.onCertify}
                >
                  certify
                </button>
              )}
            </span>
            <Saved status={status} unsaved={props.unsaved} />
          </span>
        )}
      </header>
      {status?.warning && (
        <div class="nblabel-banner nblabel-warn" role="alert">
          {status.warning}
        </div>
      )}
      {props.busy && (
        <div class="nblabel-banner" role="status">
          The kernel is busy. Go on labeling: what you press is kept in this browser and saved as
          soon as the kernel answers.
        </div>
      )}
      {props.notice && (
        <div class="nblabel-banner nblabel-warn" role="alert">
          {props.notice}
          <button
            type="button"
            class="nblabel-link"
            onClick={() => controller.act({ type: "dismiss" })}
          >
            close
          </button>
        </div>
      )}
    </>
  );
});

/** As wide while it waits as it is otherwise: what changes with every key moves nothing. */
function Saved({ status, unsaved }: { status: StatusPart; unsaved: number }) {
  const { store } = status;
  const usual = store === null ? "not saved · in memory only" : `saved · ${fileName(store)}`;
  const title = store === null ? "Labels end with the kernel." : `Labels are kept in ${store}`;
  const dot = unsaved > 0 ? "wait" : store === null ? "off" : "ok";
  return (
    <span class="nblabel-saved" title={title} data-usual={usual}>
      <i class={`nblabel-dot nblabel-${dot}`} />
      {unsaved > 0 ? `unsaved: ${unsaved}` : usual}
    </span>
  );
}

function Model({
  status,
  training,
  controller,
  onAfter,
}: {
  readonly status: StatusPart;
  readonly training: boolean;
  readonly controller: Controller;
  readonly onAfter: () => void;
}) {
  if (status.training === "off") return null;
  if (status.training === "failed" || status.training === "unranked") {
    return (
      <button
        type="button"
        class="nblabel-link nblabel-bad"
        onClick={() => {
          controller.act({ type: "panel", panel: "error" });
        }}
      >
        {status.training === "failed" ? "training" : "strategy"} failed · why?
      </button>
    );
  }
  const trained = status.version > 0;
  const name = `model ${status.version}`;
  const text = trained ? `${name} · ${count(status.learned)} labels` : "no model yet";
  const share = lengthy(status);
  const does =
    share !== null
      ? "Stop this training"
      : trained
        ? "Train again now"
        : "Train now: it takes two labels that differ";
  return (
    <button
      type="button"
      class="nblabel-link nblabel-model"
      title={`${does} (${capOf(controller.config.task, "retrain")})`}
      onClick={() => {
        controller.retrain();
        onAfter();
      }}
    >
      <i class={`nblabel-spin${training ? " nblabel-on" : ""}`} aria-hidden="true" />
      {status.training === "training"
        ? `${trained ? `${name} · training` : "getting ready"}${done(share)}`
        : text}
      {share !== null && <b class="nblabel-stop"> · stop</b>}
    </button>
  );
}

/** How far a long training is. */
const done = (share: number | null): string =>
  share === null ? "" : ` ${Math.floor(share * 100)} %`;
