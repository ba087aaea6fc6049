package dev.guardedby.sample;

import dev.guardedby.circuitbreaker.Cost;
import org.jspecify.annotations.Nullable;

/**
 * What the assistant answered, and what it cost.
 *
 * @param text the model's words
 * @param cost the tokens and dollars they cost, or null where the model did not say
 */
record Answer(String text, @Nullable Cost cost) {}
