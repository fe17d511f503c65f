package mlflowevents

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// The headers of a delivery.
const (
	HeaderSignature = "X-MLflow-Signature"
	HeaderTimestamp = "X-MLflow-Timestamp"
	HeaderDelivery  = "X-MLflow-Delivery-Id"
)

const signatureVersion = "v1,"

// Sign gives the signature header of a delivery: HMAC-SHA256 with the secret over
// `id.timestamp.body`, in base64 after "v1,". The time stamp is in whole Unix
// seconds, as in the header.
func Sign(secret Secret, deliveryID, timestamp string, body []byte) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(deliveryID + "." + timestamp + "."))
	mac.Write(body)
	return signatureVersion + base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// Verify checks a delivery against its headers in constant time, and its time
// stamp against now.
//
// Errors: [ErrUnauthorized] for a wrong or missing signature, [ErrStale] for a
// time stamp further from now than the tolerance, [ErrPayload] for headers of
// another shape.
func Verify(secret Secret, deliveryID, timestamp, signature string, body []byte, now time.Time, tolerance time.Duration) error {
	if deliveryID == "" || len(deliveryID) > maxDeliveryID {
		return fmt.Errorf("mlflowevents: Verify: no usable %s: %w", HeaderDelivery, ErrPayload)
	}
	seconds, err := strconv.ParseInt(timestamp, 10, 64)
	if err != nil || seconds < 0 || seconds > maxMillis/1000 {
		return fmt.Errorf("mlflowevents: Verify: no usable %s: %w", HeaderTimestamp, ErrPayload)
	}
	if !strings.HasPrefix(signature, signatureVersion) || !hmac.Equal([]byte(Sign(secret, deliveryID, timestamp, body)), []byte(signature)) {
		return fmt.Errorf("mlflowevents: Verify: %s does not match: %w", HeaderSignature, ErrUnauthorized)
	}
	if off := now.Sub(time.Unix(seconds, 0)).Abs(); off > tolerance {
		return fmt.Errorf("mlflowevents: Verify: %s is off by %v: %w", HeaderTimestamp, off, ErrStale)
	}
	return nil
}

const maxDeliveryID = 200 // bytes
