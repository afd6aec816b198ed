import { expect, test } from "vitest";
import { drawnId, withComment, withNewComment } from "./comments.ts";
import { newFlow, removed } from "./edit.ts";

test("comments are added, changed and removed, and the last one takes the field with it", () => {
  const flow = newFlow("f", "F", "pt_BR");
  const [one, first] = withNewComment(flow, { x: 10.4, y: 20 });
  const [two, second] = withNewComment(one, { x: 0, y: 0 });
  expect([first, second]).toEqual(["comment:comment_1", "comment:comment_2"]);
  expect(two.comments!.map(drawnId)).toEqual([first, second]);
  const written = withComment(two, first, (comment) => ({ ...comment, text: "Ask Rita" }));
  expect(written.comments![0]).toEqual({ id: "comment_1", text: "Ask Rita", position: { x: 10, y: 20 } });
  expect(written.comments![1]).toBe(two.comments![1]);
  const none = withComment(
    withComment(written, first, () => undefined),
    second,
    () => undefined,
  );
  expect(none).toEqual(flow);
  expect(withComment(flow, "start", () => undefined)).toBe(flow);
});

test("a comment has an id of its own after another was removed, and deleting nodes leaves it", () => {
  const [flow] = withNewComment(newFlow("f", "F", "pt_BR"), { x: 0, y: 0 });
  const [two] = withNewComment(flow, { x: 0, y: 0 });
  const left = withComment(two, "comment:comment_1", () => undefined);
  expect(withNewComment(left, { x: 0, y: 0 })[1]).toBe("comment:comment_3");
  expect(removed(left, new Set(["message"])).comments).toEqual(left.comments);
});
