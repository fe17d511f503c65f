-- rows
SELECT COUNT(*) AS rg_n FROM "warehouse"."predictions" WHERE "arm" = 'o''neill\' AND (
day = '2025-11-20'
);

-- column "amount"
SELECT rg_k, COUNT(*) AS rg_n, MIN(rg_v) AS rg_lo, MAX(rg_v) AS rg_hi
FROM (SELECT rg_k, rg_v, rg_z, rg_s, CAST(rg_z * rg_s * 128.0 AS INTEGER) AS rg_t, 0 AS rg_c, CASE WHEN rg_k >= 8 AND rg_s = 0.0 THEN rg_v ELSE 0.0 END AS rg_w
      FROM (SELECT rg_k, rg_v, rg_z, <octaves> AS rg_s
        FROM (SELECT rg_k, rg_v, CASE WHEN rg_k >= 8 THEN abs(rg_v) ELSE 0.0 END AS rg_z
          FROM (SELECT rg_k, CASE WHEN rg_k >= 4 THEN rg_x ELSE 0.0 END AS rg_v
            FROM (SELECT rg_x, CASE WHEN rg_x IS NULL THEN 0 WHEN typeof(rg_x) <> 'real' THEN -1 WHEN rg_x = 9e999 THEN 2 WHEN rg_x = -9e999 THEN 3 WHEN rg_x = 0.0 THEN 4 WHEN rg_x < 0.0 THEN 8 ELSE 9 END AS rg_k
              FROM (SELECT CASE WHEN typeof("amount") = 'integer' THEN CAST("amount" AS REAL) ELSE "amount" END AS rg_x
        FROM "warehouse"."predictions" WHERE "arm" = 'o''neill\' AND (
day = '2025-11-20'
) LIMIT -1 OFFSET 0) AS rg_q7) AS rg_q6) AS rg_q5 LIMIT -1 OFFSET 0) AS rg_q4 LIMIT -1 OFFSET 0) AS rg_q3 LIMIT -1 OFFSET 0) AS rg_q
GROUP BY rg_k, rg_s, rg_t, rg_c, rg_w
LIMIT 4194305;

-- column "country"
SELECT rg_k, COUNT(*) AS rg_n
FROM (SELECT CAST("land""`" AS TEXT) COLLATE BINARY AS rg_k
  FROM "warehouse"."predictions" WHERE "arm" = 'o''neill\' AND (
day = '2025-11-20'
)) AS rg_q
GROUP BY rg_k
LIMIT 4194305;

-- column "new user"
SELECT rg_k, COUNT(*) AS rg_n
FROM (SELECT CASE WHEN "new user" IS NULL THEN 0 WHEN "new user" <> 0 THEN 2 ELSE 1 END AS rg_k
  FROM "warehouse"."predictions" WHERE "arm" = 'o''neill\' AND (
day = '2025-11-20'
)) AS rg_q
GROUP BY rg_k
LIMIT 4194305;

-- column "request_id"
SELECT rg_k, COUNT(*) AS rg_n
FROM (SELECT CAST("request_id" AS TEXT) COLLATE BINARY AS rg_k
  FROM "warehouse"."predictions" WHERE "arm" = 'o''neill\' AND (
day = '2025-11-20'
)) AS rg_q
GROUP BY rg_k
LIMIT 67108865;

-- column "score" with label "label"
SELECT rg_l, rg_k, COUNT(*) AS rg_n, MIN(rg_v) AS rg_lo, MAX(rg_v) AS rg_hi, CAST(SUM(rg_a) AS INTEGER) AS rg_s0, CAST(SUM(rg_b) AS INTEGER) AS rg_s1, CAST(SUM(rg_e) AS INTEGER) AS rg_s2, CAST(SUM(rg_a * rg_a) AS INTEGER) AS rg_s3, CAST(SUM(rg_a * rg_b) AS INTEGER) AS rg_s4, CAST(SUM(rg_a * rg_e) AS INTEGER) AS rg_s5, CAST(SUM(rg_b * rg_b) AS INTEGER) AS rg_s6, CAST(SUM(rg_b * rg_e) AS INTEGER) AS rg_s7, CAST(SUM(rg_e * rg_e) AS INTEGER) AS rg_s8
FROM (SELECT rg_l, rg_v, rg_k, rg_s, rg_t, rg_c, rg_w, CAST(rg_d - rg_d1 * 32768.0 AS INTEGER) AS rg_a, CAST(rg_d1 - rg_d2 * 32768.0 AS INTEGER) AS rg_b, CAST(rg_d2 AS INTEGER) AS rg_e
FROM (SELECT rg_l, rg_v, rg_k, rg_s, rg_t, rg_c, rg_w, rg_d, CAST(rg_d * (1.0 / 32768.0) AS INTEGER) AS rg_d1, CAST(rg_d * (1.0 / 1073741824.0) AS INTEGER) AS rg_d2
  FROM (SELECT rg_l, rg_v, rg_k, rg_s, rg_t, rg_c, rg_w, rg_z * rg_s * 4503599627370496.0 - rg_t * 8796093022208.0 AS rg_d
    FROM (SELECT rg_l, rg_k, rg_v, rg_z, rg_s, CAST(rg_z * rg_s * 512.0 AS INTEGER) AS rg_t, CASE WHEN rg_v < (4278419646001971.0 / 1073741824.0 / 4194304.0) THEN CASE WHEN rg_v < (3602879701896397.0 / 1073741824.0 / 33554432.0) THEN 0 ELSE 1 END ELSE 2 END AS rg_c, CASE WHEN rg_k >= 8 AND rg_s = 0.0 THEN rg_v ELSE 0.0 END AS rg_w
      FROM (SELECT rg_l, rg_k, rg_v, rg_z, <octaves> AS rg_s
        FROM (SELECT rg_l, rg_k, rg_v, CASE WHEN rg_k = 9 THEN rg_v WHEN rg_k = 8 THEN (1.0 - rg_v) - (1.0 / 1073741824.0 / 16777216.0) ELSE 0.0 END AS rg_z
          FROM (SELECT rg_l, rg_k, CASE WHEN rg_k >= 4 THEN rg_x ELSE 0.0 END AS rg_v
            FROM (SELECT rg_l, rg_x, CASE WHEN rg_x IS NULL THEN 0 WHEN typeof(rg_x) <> 'real' THEN -1 WHEN rg_x = 9e999 THEN 2 WHEN rg_x = -9e999 THEN 3 WHEN rg_x = 0.0 THEN 4 WHEN rg_x < 0.0 THEN 5 WHEN rg_x > 1.0 THEN 6 WHEN rg_x = 1.0 THEN 7 WHEN rg_x >= (1.0 / 2.0) THEN 8 ELSE 9 END AS rg_k
              FROM (SELECT CASE WHEN "label" IS NULL THEN 0 WHEN "label" <> 0 THEN 2 ELSE 1 END AS rg_l, CASE WHEN typeof("score") = 'integer' THEN CAST("score" AS REAL) ELSE "score" END AS rg_x
        FROM "warehouse"."predictions" WHERE "arm" = 'o''neill\' AND (
day = '2025-11-20'
) LIMIT -1 OFFSET 0) AS rg_q7) AS rg_q6) AS rg_q5 LIMIT -1 OFFSET 0) AS rg_q4 LIMIT -1 OFFSET 0) AS rg_q3) AS rg_q2 LIMIT -1 OFFSET 0) AS rg_q1 LIMIT -1 OFFSET 0) AS rg_q0 LIMIT -1 OFFSET 0) AS rg_q
GROUP BY rg_l, rg_k, rg_s, rg_t, rg_c, rg_w
LIMIT 4194305;

-- column "ts"
SELECT COUNT(*) AS rg_n, COUNT("ts") AS rg_v, CASE WHEN typeof(MIN("ts")) = 'integer' THEN MIN("ts") ELSE CAST(strftime('%s', MIN("ts")) AS INTEGER) * 1000000 + CAST(substr(strftime('%f', MIN("ts")), 4) AS INTEGER) * 1000 END AS rg_lo, CASE WHEN typeof(MAX("ts")) = 'integer' THEN MAX("ts") ELSE CAST(strftime('%s', MAX("ts")) AS INTEGER) * 1000000 + CAST(substr(strftime('%f', MAX("ts")), 4) AS INTEGER) * 1000 END AS rg_hi
FROM "warehouse"."predictions" WHERE "arm" = 'o''neill\' AND (
day = '2025-11-20'
);

-- rows in slices of ["amount" "country" "new user"]
SELECT rg_g0, rg_g1, rg_g2, COUNT(*) AS rg_n
FROM (SELECT CASE WHEN "amount" IS NULL THEN -1 ELSE CASE WHEN CASE WHEN typeof("amount") = 'integer' THEN CAST("amount" AS REAL) ELSE "amount" END < (7036170730324623.0 / 1073741824.0 / 65536.0) THEN CASE WHEN CASE WHEN typeof("amount") = 'integer' THEN CAST("amount" AS REAL) ELSE "amount" END < 10.0 THEN 0 ELSE 1 END ELSE 2 END END AS rg_g0, CAST("land""`" AS TEXT) COLLATE BINARY AS rg_g1, CASE WHEN "new user" IS NULL THEN 0 WHEN "new user" <> 0 THEN 2 ELSE 1 END AS rg_g2
  FROM "warehouse"."predictions" WHERE "arm" = 'o''neill\' AND (
day = '2025-11-20'
)) AS rg_q
GROUP BY rg_g0, rg_g1, rg_g2
LIMIT 4194305;

-- column "label" in slices of ["amount" "country" "new user"]
SELECT rg_g0, rg_g1, rg_g2, rg_k, COUNT(*) AS rg_n
FROM (SELECT CASE WHEN "amount" IS NULL THEN -1 ELSE CASE WHEN CASE WHEN typeof("amount") = 'integer' THEN CAST("amount" AS REAL) ELSE "amount" END < (7036170730324623.0 / 1073741824.0 / 65536.0) THEN CASE WHEN CASE WHEN typeof("amount") = 'integer' THEN CAST("amount" AS REAL) ELSE "amount" END < 10.0 THEN 0 ELSE 1 END ELSE 2 END END AS rg_g0, CAST("land""`" AS TEXT) COLLATE BINARY AS rg_g1, CASE WHEN "new user" IS NULL THEN 0 WHEN "new user" <> 0 THEN 2 ELSE 1 END AS rg_g2, CASE WHEN "label" IS NULL THEN 0 WHEN "label" <> 0 THEN 2 ELSE 1 END AS rg_k
  FROM "warehouse"."predictions" WHERE "arm" = 'o''neill\' AND (
day = '2025-11-20'
)) AS rg_q
GROUP BY rg_g0, rg_g1, rg_g2, rg_k
LIMIT 4194305;

