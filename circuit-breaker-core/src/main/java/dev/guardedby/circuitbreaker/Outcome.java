package dev.guardedby.circuitbreaker;

/** What a finished call says about the remote. */
public enum Outcome {
    /** The remote answered. */
    SUCCESS,
    /** The remote failed. */
    FAILURE,
    /** The call says nothing about the remote: cancelled by its caller, refused further in, or ignored by a rule. */
    IGNORED
}
