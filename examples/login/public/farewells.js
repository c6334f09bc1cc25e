/**
 * What is said to those who have no session to leave word in.
 */
export const farewells = {
  logout: "You are signed out. The session and its cookie are gone.",
  ended: "Your session had ended, so nothing was done. Sign in again to begin a new one."
}
