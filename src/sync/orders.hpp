// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Write orders as they stand in the journal of operations.
#include <string>
#include <string_view>

#include "store/operations.hpp"
#include "sync/driver.hpp"

namespace syncline::sync {

struct StoredOrder {
  WriteOrder order;
  std::int64_t record_version = 0;  ///< the record's, that the order brings to the server
};

std::string to_json(const StoredOrder& order);
/// Error (domain local) "store-damaged".
Result<StoredOrder> read_order(const store::Operation& operation);
std::string_view to_string(WriteOrder::What what) noexcept;

}  // namespace syncline::sync
