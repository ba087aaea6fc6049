package dev.guardedby.spring.config;

import java.util.Collection;
import java.util.Comparator;
import java.util.Locale;
import java.util.Optional;

/** When two spellings are one name, and which known word a misspelled one is nearest to. */
final class Spelling {

    private Spelling() {}

    /** The name without case and dashes: what environment variables leave of it. */
    static String canonical(String name) {
        return name.replace("-", "").replace("_", "").toLowerCase(Locale.ROOT);
    }

    /** The known word that was probably meant; empty if none is near. */
    static Optional<String> nearest(String word, Collection<String> known) {
        String canonical = canonical(word);
        return known.stream()
                .min(Comparator.comparingInt(candidate -> distance(canonical, canonical(candidate))))
                .filter(best -> distance(canonical, canonical(best)) <= Math.max(1, canonical.length() / 4));
    }

    /** Letters to insert, remove, replace or swap with their neighbour to get from one word to the other. */
    private static int distance(String a, String b) {
        int[][] edits = new int[a.length() + 1][b.length() + 1];
        for (int i = 0; i <= a.length(); i++) {
            for (int j = 0; j <= b.length(); j++) {
                edits[i][j] = i == 0 || j == 0 ? i + j : fewest(edits, a, b, i, j);
            }
        }
        return edits[a.length()][b.length()];
    }

    private static int fewest(int[][] edits, String a, String b, int i, int j) {
        boolean same = a.charAt(i - 1) == b.charAt(j - 1);
        int fewest = Math.min(Math.min(edits[i - 1][j], edits[i][j - 1]) + 1, edits[i - 1][j - 1] + (same ? 0 : 1));
        boolean swapped = i > 1 && j > 1 && a.charAt(i - 1) == b.charAt(j - 2) && a.charAt(i - 2) == b.charAt(j - 1);
        return swapped ? Math.min(fewest, edits[i - 2][j - 2] + 1) : fewest;
    }
}
