package dev.guardedby.circuitbreaker;

/**
 * What a breaker and those of its keys have in common: the breaker of a new key begins with it.
 *
 * <p>Two are equal only if they have the very same settings.
 *
 * @param held whether an operator holds it open
 */
record Standing(Settings settings, Mode mode, boolean held) {

    static Standing of(Engine engine) {
        return of(engine.settings, engine.state);
    }

    static Standing of(Settings settings, State state) {
        return new Standing(settings, state.mode, isHeld(state));
    }

    static boolean isHeld(State state) {
        return state instanceof Open open && open.isHeld();
    }
}
