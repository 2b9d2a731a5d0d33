// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// gSOAP contexts: one for each parse or write in flight, taken from a pool. gSOAP never sees a socket.
#include <memory>
#include <string>
#include <string_view>

#include "ewsH.h"

namespace syncline::ews::codec {

/// A leased context. What gSOAP allocated through it is freed when the lease ends.
class Context {
 public:
  static Context for_reading(std::string_view xml);
  /// Written text is appended to `out`, which must outlive the context.
  static Context for_writing(std::string& out);
  Context(Context&&) noexcept = default;
  Context& operator=(Context&&) = delete;
  ~Context();

  struct soap* get() const noexcept {
    return slot_->soap;
  }
  struct soap* operator->() const noexcept {
    return slot_->soap;
  }
  /// Reads the same text from its beginning again.
  void restart(std::string_view xml);

  struct Slot {
    Slot();
    ~Slot();
    Slot(const Slot&) = delete;
    Slot& operator=(const Slot&) = delete;

    struct soap* soap;
    std::string_view input;
    std::string* output = nullptr;
  };

 private:
  explicit Context(std::unique_ptr<Slot> slot) : slot_(std::move(slot)) {}
  std::unique_ptr<Slot> slot_;
};

}  // namespace syncline::ews::codec
