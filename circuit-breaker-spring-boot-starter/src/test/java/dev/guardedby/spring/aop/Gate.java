package dev.guardedby.spring.aop;

import dev.guardedby.spring.GuardedBy;
import java.util.function.BiConsumer;
import org.springframework.context.ApplicationContext;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/** Guards whatever publisher it is given. */
class Gate {
    /** Runs a story in an application with a gate. */
    static void guarded(BiConsumer<ApplicationContext, Gate> story) {
        Guarded.application(Gate.class).run(context -> story.accept(context, context.getBean(Gate.class)));
    }

    @GuardedBy("llm") public <T> Flux<T> flux(Flux<T> source) {
        return source;
    }

    @GuardedBy("llm") public <T> Mono<T> mono(Mono<T> source) {
        return source;
    }

    @GuardedBy(name = "llm", fallback = "instead") public Flux<Integer> helped(Flux<Integer> source) {
        return source;
    }

    @GuardedBy(name = "llm", cost = "0.01") public Flux<Integer> priced(Flux<Integer> source) {
        return source;
    }

    Flux<Integer> instead(Flux<Integer> source) {
        return Flux.just(-1);
    }
}
