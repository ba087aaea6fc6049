package dev.guardedby.sample;

import dev.guardedby.circuitbreaker.Cost;

/**
 * What the assistant answered, and what it cost.
 *
 * @param text the model's words
 * @param cost the tokens and dollars they cost
 */
record Answer(String text, Cost cost) {}
