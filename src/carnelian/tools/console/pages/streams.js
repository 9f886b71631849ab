// A stream: its entries, and the groups that read it.

import { visible } from "./data.js";
import { ask, button, h, moment, span, table, whole } from "./dom.js";

/** The entries and the groups of a stream. */
export function streamView(pane) {
  return [entries(pane), h("h3", {}, "Groups"), groups(pane)];
}

function entries(pane) {
  return table([{ text: "ID" }, { text: "Fields" }, {}], pane.told.items.map((entry) => h("tr", {},
    h("td", {}, h("code", {}, entry.id), h("small", { class: "block" }, whenOf(entry.id))),
    h("td", { class: "data" }, entry.fields.map(([name, value]) => h("div", {},
      h("b", {}, `${visible(name.value)} `), h("code", {}, visible(value.value)), value.cut ? " …" : ""))),
    h("td", { class: "actions" }, button("Remove", () =>
      pane.removeItem(entry.id, "stream.delete", { id: entry.id }), "quiet bad",
    { "aria-label": `Remove ${entry.id}` })))), { label: "Entries" });
}

/** The time that an ID was made of, unless it is none. */
function whenOf(id) {
  const time = Number(id.split("-")[0]);
  return time > 1e11 && time < 1e13 ? moment(time / 1000, true) : "";
}

function groups(pane) {
  const rows = pane.told.groups.flatMap((group) => [
    h("tr", {}, h("td", {}, h("code", {}, visible(group.name))),
      h("td", { class: "number" }, whole(group.members.length)), h("td", { class: "number" }, whole(group.pending)),
      h("td", { class: "number" }, group.lag === undefined || group.lag === null ? "-" : whole(group.lag)),
      h("td", {}, h("code", {}, String(group["last-delivered-id"]))),
      h("td", { class: "actions" }, button("Remove", () =>
        pane.removeItem(`the group ${visible(group.name)}`, "stream.ungroup", { group: group.name }), "quiet bad"))),
    ...group.members.map((member) => h("tr", { class: "inner" },
      h("td", { colspan: 2 }, "↳ ", h("code", {}, visible(member.name))),
      h("td", { class: "number" }, whole(member.pending)),
      h("td", { colspan: 3, class: "muted" }, `idle for ${span(Number(member.idle) / 1000)}`)))]);
  return h("div", { class: "stack" },
    rows.length ? table([{ text: "Group" }, { text: "Consumers", number: true }, { text: "Pending", number: true },
      { text: "Behind", number: true }, { text: "Delivered up to" }, {}], rows, { label: "Groups" }) : null,
    h("div", { class: "row" }, button("Add a group", async () => {
      const told = await ask("New group", [{ name: "group", label: "Name", required: true },
        { name: "id", label: "Reads what comes after", value: "$", help: "$: from now on; 0: everything." }],
      { submit: "Add" });
      if (told) await pane.edit("stream.group", told);
    })));
}
