package dev.guardedby.circuitbreaker;

import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * What one call of a model used, and all that its price depends on.
 *
 * @param provider who served the model, in the words of price lists, such as {@code azure} or {@code bedrock}; null if not told
 * @param model the model as the answer names it, or else the request; null if neither does
 * @param usage what was used; {@link Usage#NONE} if that is unknown
 * @param tier how quickly it was asked to answer
 * @param confidence how far the usage can be trusted
 * @param labels whatever the books need beside, such as the operation
 */
public record ModelUsage(
        @Nullable String provider,
        @Nullable String model,
        Usage usage,
        ServiceTier tier,
        Confidence confidence,
        Map<String, String> labels) {
    /** Copies the labels. */
    public ModelUsage {
        Objects.requireNonNull(usage, "usage");
        Objects.requireNonNull(tier, "tier");
        Objects.requireNonNull(confidence, "confidence");
        labels = Map.copyOf(labels);
        if (confidence == Confidence.UNKNOWN && !usage.equals(Usage.NONE)) {
            throw new IllegalArgumentException("usage must be NONE where the confidence is UNKNOWN, but was " + usage);
        }
    }

    /** What a model reported, at the standard tier. */
    public static ModelUsage of(@Nullable String model, Usage usage) {
        return new ModelUsage(null, model, usage, ServiceTier.STANDARD, Confidence.REPORTED, Map.of());
    }

    /** A call of which nobody said what it used. */
    public static ModelUsage unknown(@Nullable String model) {
        return of(model, Usage.NONE).with(Confidence.UNKNOWN);
    }

    /** The same, of a model of that name. */
    public ModelUsage by(@Nullable String otherModel) {
        return new ModelUsage(provider, otherModel, usage, tier, confidence, labels);
    }

    /** The same, served by a provider. */
    public ModelUsage servedBy(@Nullable String otherProvider) {
        return new ModelUsage(otherProvider, model, usage, tier, confidence, labels);
    }

    /** The same at another tier. */
    public ModelUsage with(ServiceTier otherTier) {
        return new ModelUsage(provider, model, usage, otherTier, confidence, labels);
    }

    /** The same with another confidence. */
    public ModelUsage with(Confidence otherConfidence) {
        return new ModelUsage(provider, model, usage, tier, otherConfidence, labels);
    }

    /** The same with other labels. */
    public ModelUsage with(Map<String, String> otherLabels) {
        return new ModelUsage(provider, model, usage, tier, confidence, otherLabels);
    }
}
