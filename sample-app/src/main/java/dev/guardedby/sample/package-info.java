/** A web application with one job, answering questions with a language model, whose model calls are guarded. */
@NullMarked
package dev.guardedby.sample;

import org.jspecify.annotations.NullMarked;
