/** Calls of models inside guarded calls: each is a step that budgets are asked for before, and that is priced afterwards. */
@NullMarked
package dev.guardedby.spring.models;

import org.jspecify.annotations.NullMarked;
