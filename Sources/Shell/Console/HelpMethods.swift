import Workbench

extension Help {
    /// The page of `help methods`: the meaning and the source of each number about points.
    static let methods = """
        Points are rows of a capture or of a file: N of them, D coordinates. Exact duplicates are dropped first. Names are
        those of manifold --raw; a number in a name is k, the nearest neighbours read. r1, r2 ...: distances to them.

        ESTIMATORS: each reads a dimension from something else, and errs in its own way.

        lPCAk       Local PCA: how many variances (eigenvalues of the covariance) of each point's k nearest neighbours are
                    above 0.05 of the largest; the mean over patches. (Fukunaga and Olsen 1971.) At most k - 1, and from
                    0.4 of that on rank-capped: it says only "many". Curvature and noise add to it.
        lPCAk-RULE  The same with another rule. Fan: a gap, or 80 % of the variance beyond noise (Fan et al. 2010). maxgap:
                    before the largest quotient of neighbours. ratio: 95 % of the variance. PR: (sum l)^2 / sum l^2.
                    Kaiser: above the mean (Kaiser 1960). brokenstick: above a stick broken at random (Jackson 1993). FO: the
                    rule of lPCAk.
        PCA-RULE    The same rules on the whole set: linear, so a curve counts all the dimensions that it bends into.
        lPRk        Local participation ratio, (sum l)^2 / sum l^2 of patches without the bias of few points (Chun et al.
                    2026). Unequal variances lower it (1/i: 100 reads as 45), curvature raises it up to twice.
        PR          The same of the whole set.
        d90 d95 d99 The fewest principal components that hold 90, 95, 99 % of the variance.
        ESSk        Simplex skewness: how far from parallel a patch's points lie (Johnsson, Soneson and Fontes 2015).
        MLEk        1/d is the mean of ln(r_k / r_j) (Levina and Bickel 2004, pooled as MacKay and Ghahramani 2005).
        TwoNN       r2 / r1 follows 1 - mu^-d: the slope of -ln(1 - i/N) on ln mu, the largest tenth left out (Facco et al.
                    2017). TwoNN-ML: its maximum likelihood (Denti et al. 2022). At 400 dimensions 2,000 points say 105.
        GRIDEn      The same with neighbours n and 2n: a larger scale, less moved by noise (Denti et al. 2022).
        CorrInt     ln(C(r_20) / C(r_10)) / ln(r_20 / r_10), C(r) the share of pairs nearer than r.
        D2          Slope of ln C(r) on ln r (Grassberger and Procaccia 1983).
        FCI         Cosines between all points from their mean: (1 + cos)/2 follows Beta((m-1)/2, (m-1)/2) (Erba, Gherardi
                    and Rotondo 2019). Needs few points; curvature raises it.
        ranks       Effective rank exp(-sum p ln p), p a share of the variances (lambda) or of singular values (sigma:
                    Roy and Vetterli 2007); stable rank, sum l / l1 (Rudelson and Vershynin 2007).

        r_k/median  Mean distance to the k-th neighbour over the median distance of points. In a hundred dimensions it is
                    0.9: at 0.8 and above nothing is local, the scale is global, and curvature can't be told.
        rogue       The three coordinates of largest variance. In some models a few hold most of it, and every number about
                    variances is then about them (Timkey and van Schijndel 2021): see both, with them and --without-rogue.

        outlier     A row more than 10 times as long as the median row; in models without BOS the first token of a text, as
                    an attention sink (Sun et al. 2024). --at all and mean leave such first rows out of activations, or
                    keep them --with-first; a set that has some, or that one row carries (more than 0.2 of all squared
                    distances from the mean), says so, as its means, PR, PCA and CKA are about these rows.

        CALIBRATION: a raw number depends on N. Gaussian and spherical samples with the same N, of dimensions 1, 2, 3 ... in
        steps of a quarter up to D, are measured by the same estimators; calibrated is the dimension of the sample that
        gives the number that was seen, between samples by lines of logarithms.

        WHITE NOISE: what the estimator says of independent Gaussian coordinates that fill all D, the ceiling. TwoNN of
        noise in 4,096 coordinates is 300 to 400; a number near the ceiling says that there is no manifold to see.

        SURROGATE RATIO: TwoNN of the points over that of Gaussian samples with their covariance (surrogates, after Theiler
        et al. 1992). 1 is not its null: a sample covariance of few points is over-dispersed, and 2,000 points of
        noise in 2,048 coordinates give 1.4. The null is the same quotient of surrogates and surrogates of theirs, eight
        of each; below its 5 % end, one-sided, neighbours are closer than second moments allow.

        DIMENSION: one estimate of all. In few dimensions, or where patches look bent (lPR grows with k), it goes from lPR25
        and ESS25 down to TwoNN and GRIDE, if those are lower; elsewhere the first stand, which density and borders move
        less. A set that the surrogate explains, and whose lPR falls with k as that of a power law does, or whose d99
        is within a tenth, has the d99 of its span, if that is larger. The interval, 90 %, comes from quantile
        regressions (Koenker and Bassett 1978) on planted flat, spherical, power-law, curved and noisy sets, and is
        wider for what halves of the points, drawn without replacement, vary by. Where the scale is global the lower
        end is halved again (from 0.75 to 0.85 of r_k/median at k = 100, by degrees): a bent set of half the dimensions
        looks the same.
        hull: the least and the largest of calibrated TwoNN, lPR25 to lPR300 and FCI.

        STRUCTURE, and verdicts on a --claim of dimensions
        curved                          the surrogate ratio is below its null, and a tenth below the null's middle
        linear subspace                 it is not: a Gaussian of that covariance looks the same
        not distinguishable from noise  so does noise in all D: PR is 0.9 D or more, and TwoNN at the ceiling
        supported, curved or linear     the estimate lies in the claim
        not excluded                    only its interval reaches it
        not supported                   it does not. A claim about noise is none of these.

        TANGENT SPACES (tangent): local PCA's d leading directions of a patch; principal angles between two (Bjorck and
        Golub 1973), and their containment |V1'V2|^2 / d, the mean squared cosine. Split-half null: two halves of one patch.
        Random subspaces: d / D. Intervals: over groups of patches, for pairs (Aronow, Samii and Assenova 2015).

        PRINCIPAL COMPONENTS (pca): eigenvalues of the covariance, beside those of independent Gaussian rows (parallel
        analysis, Horn 1965).

        SIMILARITY of paired rows (compare A B activations), after Kornblith et al. 2019
        CKA         HSIC(K, L) / sqrt(HSIC(K, K) HSIC(L, L)) of linear kernels, each without the bias of few rows (Song et
                    al. 2012): 1 up to rotation and scale, about 0 for unrelated rows, and below as often as above.
        RSA         Spearman's correlation of 1 - r between all pairs of rows (Kriegeskorte et al. 2008).
        SVCCA       Mean canonical correlation of the components that hold 99 % of the variance (Raghu et al. 2017). PWCCA:
                    weighted by sum_j |<h_i, x_j>|, over the side with fewer components (Morcos et al. 2018).
        Procrustes  |X|^2 + |Y|^2 - 2 |X'Y|_*, centred, of norm 1 (Schonemann 1966): 0 to 2.
        Intervals: from halves of the prompts drawn without replacement, whose spread is the whole's standard error (Shao
        and Wu 1989). Floors: rows paired at random. Both depend on the seed.

        SHAPE (compare A B geometry): unchanged is an equivalence, two one-sided tests (Schuirmann 1987): |ln| of the
        quotient of both PR and both TwoNN below 0.1, and CKA above 0.95, each at 5 %. changed: one of them is beyond its
        margin at 1 %, 5 % over five ends. Principal subspaces of A and B stand beside those of two halves of one of
        them, the ceiling.

        CONTAINMENT (contain): |V'U|^2 / dim R, V principal directions of M, U a basis of R. Topics: k-means (Lloyd 1982,
        from seeds of Arthur and Vassilvitskii 2007).

        SENSES (sense): separation, the mean distance of rows of different senses over that of rows of one, less 1; Fisher's
        ratio tr(Sb) / tr(Sw); silhouette (Rousseeuw 1987). Null: random splits. Intervals: halves (Politis and Romano 1994).

        BASIN (basin): the difference in differences of debiased participation ratios, by permutation of prompts within pairs
        of one length; p by Holm (1979) over the sites.

        WAYS (path, series): barrier, the largest height of the loss above the line between its ends (Frankle et al. 2020).
        Largest step: its share of all change, by Fisher's (1929) test; order: Spearman's rank correlation.

        INTERVALS of shares are 95 %, Wilson's (1927); of means over prompts 95 %, clustered by prompt (Cochran 1977).
        """
}
