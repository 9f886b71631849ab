int8_t = int
int16_t = int
int32_t = int
int64_t = int
uint8_t = int
uint16_t = int
uint32_t = int
uint64_t = int
INT8_MAX: int
INT8_MIN: int
UINT8_MAX: int
INT16_MAX: int
INT16_MIN: int
UINT16_MAX: int
INT32_MAX: int
INT32_MIN: int
UINT32_MAX: int
INT64_MAX: int
INT64_MIN: int
UINT64_MAX: int
