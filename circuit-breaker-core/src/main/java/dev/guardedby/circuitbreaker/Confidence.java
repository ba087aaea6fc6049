package dev.guardedby.circuitbreaker;

/** How far a usage can be trusted. */
public enum Confidence {
    /** The remote said so. */
    REPORTED,
    /** Worked out here, because the remote has not said it, or not yet: a stream that was cut short, for example. */
    ESTIMATED,
    /** Nobody knows. What is not known is not zero: it has no price, and a budget charges what it held. */
    UNKNOWN
}
