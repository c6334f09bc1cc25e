/**
 * What a changeset becomes in CHANGELOG.md: an item with its own words, and neither a commit's hash nor a link.
 *
 * @type {import("@changesets/types").ChangelogFunctions}
 */
module.exports = {
  getReleaseLine: async ({ summary }) =>
    `- ${summary.trim().split("\n").map((line, index) => index === 0 || line === "" ? line : `  ${line}`).join("\n")}`,
  // The package stands alone, so no release of another one brings a release of it.
  getDependencyReleaseLine: async () => ""
}
