package dev.guardedby.circuitbreaker;

import java.util.Optional;

/**
 * Advice to spend less: a budget has reached its {@code degrade-at}.
 *
 * @param budget how it stands
 * @param model the cheaper model that its {@code degrade-to} names; empty if it names none
 */
public record Advice(BudgetStatus budget, Optional<String> model) {}
