import { fencesOfMarkdown } from "../../scripts/codeFences.mjs"

/** The first app of the README, as a newcomer pastes it into a file. */
export const firstApp = (readme: string): string => {
  const fence = fencesOfMarkdown(readme).fences.find(({ code }) => code.join("\n").includes("NodeRuntime.runMain"))
  if (fence === undefined) {
    throw new Error("The README shows no app that NodeRuntime.runMain runs")
  }
  return `${fence.code.join("\n")}\n`
}
