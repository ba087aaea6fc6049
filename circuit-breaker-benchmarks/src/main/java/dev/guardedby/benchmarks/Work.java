package dev.guardedby.benchmarks;

import dev.failsafe.function.CheckedSupplier;
import dev.guardedby.circuitbreaker.Action;
import dev.guardedby.circuitbreaker.Call;
import java.util.function.Supplier;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;

/** The guarded work: it reads a field. One object for each type that a library wants it in, all made beforehand. */
@State(Scope.Benchmark)
public class Work {
    final Object answer = new Object();
    final Call<Object, RuntimeException> call = () -> answer();
    final Action<RuntimeException> action = () -> answer();
    final Supplier<Object> supplier = () -> answer();
    final CheckedSupplier<Object> checkedSupplier = () -> answer();

    Object answer() {
        return answer;
    }
}
