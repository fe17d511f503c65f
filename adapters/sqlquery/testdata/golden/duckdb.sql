-- rows
SELECT COUNT(*) AS rg_n FROM "warehouse"."predictions" WHERE "arm" = 'o''neill\' AND (
day = '2025-11-20'
);

-- column "amount"
SELECT rg_k, COUNT(*) AS rg_n, MIN(rg_v) AS rg_lo, MAX(rg_v) AS rg_hi
FROM (SELECT rg_k, rg_v, rg_z, rg_s, FLOOR(rg_z * rg_s * 1.28e+02) AS rg_t, 0 AS rg_c, CASE WHEN rg_k >= 8 AND rg_s = 0e+00 THEN rg_v ELSE 0e+00 END AS rg_w
      FROM (SELECT rg_k, rg_v, rg_z, <octaves> AS rg_s
        FROM (SELECT rg_k, rg_v, CASE WHEN rg_k >= 8 THEN abs(rg_v) ELSE 0e+00 END AS rg_z
          FROM (SELECT rg_k, CASE WHEN rg_k >= 4 THEN rg_x ELSE 0e+00 END AS rg_v
            FROM (SELECT rg_x, CASE WHEN rg_x IS NULL THEN 0 WHEN isnan(rg_x) THEN 1 WHEN rg_x > 1.7976931348623157e+308 THEN 2 WHEN rg_x < -1.7976931348623157e+308 THEN 3 WHEN rg_x = 0e+00 THEN 4 WHEN rg_x < 0e+00 THEN 8 ELSE 9 END AS rg_k
              FROM (SELECT CAST("amount" AS DOUBLE) AS rg_x
        FROM "warehouse"."predictions" WHERE "arm" = 'o''neill\' AND (
day = '2025-11-20'
)) AS rg_q7) AS rg_q6) AS rg_q5) AS rg_q4) AS rg_q3) AS rg_q
GROUP BY rg_k, rg_s, rg_t, rg_c, rg_w
LIMIT 4194305;

-- column "country"
SELECT rg_k, COUNT(*) AS rg_n
FROM (SELECT CAST("land""`" AS VARCHAR) AS rg_k
  FROM "warehouse"."predictions" WHERE "arm" = 'o''neill\' AND (
day = '2025-11-20'
)) AS rg_q
GROUP BY rg_k
LIMIT 4194305;

-- column "new user"
SELECT rg_k, COUNT(*) AS rg_n
FROM (SELECT CASE WHEN "new user" IS NULL THEN 0 WHEN "new user" THEN 2 ELSE 1 END AS rg_k
  FROM "warehouse"."predictions" WHERE "arm" = 'o''neill\' AND (
day = '2025-11-20'
)) AS rg_q
GROUP BY rg_k
LIMIT 4194305;

-- column "request_id"
SELECT rg_k, COUNT(*) AS rg_n
FROM (SELECT CAST("request_id" AS VARCHAR) AS rg_k
  FROM "warehouse"."predictions" WHERE "arm" = 'o''neill\' AND (
day = '2025-11-20'
)) AS rg_q
GROUP BY rg_k
LIMIT 67108865;

-- column "score" with label "label"
SELECT rg_l, rg_k, COUNT(*) AS rg_n, MIN(rg_v) AS rg_lo, MAX(rg_v) AS rg_hi, CAST(SUM(rg_a) AS BIGINT) AS rg_s0, CAST(SUM(rg_b) AS BIGINT) AS rg_s1, CAST(SUM(rg_e) AS BIGINT) AS rg_s2, CAST(SUM(rg_a * rg_a) AS BIGINT) AS rg_s3, CAST(SUM(rg_a * rg_b) AS BIGINT) AS rg_s4, CAST(SUM(rg_a * rg_e) AS BIGINT) AS rg_s5, CAST(SUM(rg_b * rg_b) AS BIGINT) AS rg_s6, CAST(SUM(rg_b * rg_e) AS BIGINT) AS rg_s7, CAST(SUM(rg_e * rg_e) AS BIGINT) AS rg_s8
FROM (SELECT rg_l, rg_v, rg_k, rg_s, rg_t, rg_c, rg_w, CAST(rg_d - rg_d1 * 3.2768e+04 AS BIGINT) AS rg_a, CAST(rg_d1 - rg_d2 * 3.2768e+04 AS BIGINT) AS rg_b, CAST(rg_d2 AS BIGINT) AS rg_e
FROM (SELECT rg_l, rg_v, rg_k, rg_s, rg_t, rg_c, rg_w, rg_d, FLOOR(rg_d * 3.0517578125e-05) AS rg_d1, FLOOR(rg_d * 9.313225746154785e-10) AS rg_d2
  FROM (SELECT rg_l, rg_v, rg_k, rg_s, rg_t, rg_c, rg_w, rg_z * rg_s * 4.503599627370496e+15 - rg_t * 8.796093022208e+12 AS rg_d
    FROM (SELECT rg_l, rg_k, rg_v, rg_z, rg_s, FLOOR(rg_z * rg_s * 5.12e+02) AS rg_t, CASE WHEN rg_v < 9.5e-01 THEN CASE WHEN rg_v < 1e-01 THEN 0 ELSE 1 END ELSE 2 END AS rg_c, CASE WHEN rg_k >= 8 AND rg_s = 0e+00 THEN rg_v ELSE 0e+00 END AS rg_w
      FROM (SELECT rg_l, rg_k, rg_v, rg_z, <octaves> AS rg_s
        FROM (SELECT rg_l, rg_k, rg_v, CASE WHEN rg_k = 9 THEN rg_v WHEN rg_k = 8 THEN (1e+00 - rg_v) - 5.551115123125783e-17 ELSE 0e+00 END AS rg_z
          FROM (SELECT rg_l, rg_k, CASE WHEN rg_k >= 4 THEN rg_x ELSE 0e+00 END AS rg_v
            FROM (SELECT rg_l, rg_x, CASE WHEN rg_x IS NULL THEN 0 WHEN isnan(rg_x) THEN 1 WHEN rg_x > 1.7976931348623157e+308 THEN 2 WHEN rg_x < -1.7976931348623157e+308 THEN 3 WHEN rg_x = 0e+00 THEN 4 WHEN rg_x < 0e+00 THEN 5 WHEN rg_x > 1e+00 THEN 6 WHEN rg_x = 1e+00 THEN 7 WHEN rg_x >= 5e-01 THEN 8 ELSE 9 END AS rg_k
              FROM (SELECT CASE WHEN "label" IS NULL THEN 0 WHEN "label" THEN 2 ELSE 1 END AS rg_l, CAST("score" AS DOUBLE) AS rg_x
        FROM "warehouse"."predictions" WHERE "arm" = 'o''neill\' AND (
day = '2025-11-20'
)) AS rg_q7) AS rg_q6) AS rg_q5) AS rg_q4) AS rg_q3) AS rg_q2) AS rg_q1) AS rg_q0) AS rg_q
GROUP BY rg_l, rg_k, rg_s, rg_t, rg_c, rg_w
LIMIT 4194305;

-- column "ts"
SELECT COUNT(*) AS rg_n, COUNT("ts") AS rg_v, epoch_us(MIN("ts")) AS rg_lo, epoch_us(MAX("ts")) AS rg_hi
FROM "warehouse"."predictions" WHERE "arm" = 'o''neill\' AND (
day = '2025-11-20'
);

-- rows in slices of ["amount" "country" "new user"]
SELECT rg_g0, rg_g1, rg_g2, COUNT(*) AS rg_n
FROM (SELECT CASE WHEN "amount" IS NULL THEN -1 WHEN isnan(CAST("amount" AS DOUBLE)) THEN -1 ELSE CASE WHEN CAST("amount" AS DOUBLE) < 9.999e+01 THEN CASE WHEN CAST("amount" AS DOUBLE) < 1e+01 THEN 0 ELSE 1 END ELSE 2 END END AS rg_g0, CAST("land""`" AS VARCHAR) AS rg_g1, CASE WHEN "new user" IS NULL THEN 0 WHEN "new user" THEN 2 ELSE 1 END AS rg_g2
  FROM "warehouse"."predictions" WHERE "arm" = 'o''neill\' AND (
day = '2025-11-20'
)) AS rg_q
GROUP BY rg_g0, rg_g1, rg_g2
LIMIT 4194305;

-- column "label" in slices of ["amount" "country" "new user"]
SELECT rg_g0, rg_g1, rg_g2, rg_k, COUNT(*) AS rg_n
FROM (SELECT CASE WHEN "amount" IS NULL THEN -1 WHEN isnan(CAST("amount" AS DOUBLE)) THEN -1 ELSE CASE WHEN CAST("amount" AS DOUBLE) < 9.999e+01 THEN CASE WHEN CAST("amount" AS DOUBLE) < 1e+01 THEN 0 ELSE 1 END ELSE 2 END END AS rg_g0, CAST("land""`" AS VARCHAR) AS rg_g1, CASE WHEN "new user" IS NULL THEN 0 WHEN "new user" THEN 2 ELSE 1 END AS rg_g2, CASE WHEN "label" IS NULL THEN 0 WHEN "label" THEN 2 ELSE 1 END AS rg_k
  FROM "warehouse"."predictions" WHERE "arm" = 'o''neill\' AND (
day = '2025-11-20'
)) AS rg_q
GROUP BY rg_g0, rg_g1, rg_g2, rg_k
LIMIT 4194305;

