package dev.guardedby.spring.config;

import dev.guardedby.circuitbreaker.ModelPrice;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** What the configuration says about prices. */
public final class ConfiguredPrices {

    /** What becomes of the calls of a model without a price, where a budget is in dollars. */
    public enum UnknownModel {
        /** Refuse them. */
        REJECT,
        /** Charge them what is estimated for a call. */
        ESTIMATE,
        /** Let them pass, and count them. */
        ALLOW_AND_FLAG
    }

    private final @Nullable String importFrom;
    private final UnknownModel unknownModel;
    private final List<ModelPrice> models;

    ConfiguredPrices(@Nullable String importFrom, UnknownModel unknownModel, List<ModelPrice> models) {
        this.importFrom = importFrom;
        this.unknownModel = unknownModel;
        this.models = List.copyOf(models);
    }

    /** What there is when {@code guardedby.enabled} is false. */
    static ConfiguredPrices switchedOff() {
        return new ConfiguredPrices(null, UnknownModel.REJECT, List.of());
    }

    /** The location of the file that prices are imported from; empty if none are. */
    public Optional<String> importFrom() {
        return Optional.ofNullable(importFrom);
    }

    /** What becomes of calls of a model without a price. */
    public UnknownModel unknownModel() {
        return unknownModel;
    }

    /** The models under {@code guardedby.prices.models}, in their order. */
    public List<ModelPrice> models() {
        return models;
    }
}
