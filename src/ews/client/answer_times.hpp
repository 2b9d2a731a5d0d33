// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// How long Exchange took to answer, by what a request does to it.
#include "base/duration_histogram.hpp"
#include "ews/client/operation_kind.hpp"

namespace syncline::ews {

struct AnswerTimes {
  RequestTimes read;
  RequestTimes sync;
  RequestTimes write;

  /// What waits at the server on purpose is not counted.
  void add(OperationKind kind, std::chrono::nanoseconds took) noexcept {
    switch (kind) {
      case OperationKind::read:
        read.add(took);
        return;
      case OperationKind::sync:
        sync.add(took);
        return;
      case OperationKind::write:
        write.add(took);
        return;
      case OperationKind::hanging:
        return;
    }
  }
};

}  // namespace syncline::ews
