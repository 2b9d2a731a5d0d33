// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Messages between the server and whoever asks for them piece by piece: POP3 gives a message as a whole or
// not at all, and asking twice costs twice. In a file without a name, so that memory does not grow with them.
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "sync/driver.hpp"

namespace syncline::pop3 {

class Spool {
 public:
  /// `folder`: for the file; empty: the system's for temporary files.
  explicit Spool(std::string folder) : folder_(std::move(folder)) {}
  ~Spool();
  Spool(const Spool&) = delete;
  Spool& operator=(const Spool&) = delete;

  // One message at a time is written. Errors: local "spool-failed".
  Result<void> begin();
  Result<void> write(std::string_view octets);
  Result<void> keep(const std::string& id, bool header_only);
  void drop() noexcept;  ///< the one that is being written

  bool has(const std::string& id, bool header_only) const;
  /// Not valid after clear(). Must be there.
  std::unique_ptr<sync::ContentSource> open(const std::string& id) const;
  std::uint64_t octets() const noexcept { return end_; }
  void clear() noexcept;

 private:
  struct Stretch {
    std::uint64_t begin = 0;
    std::uint64_t octets = 0;
    bool header_only = false;
  };
  Result<void> flush();

  std::string folder_;
  int descriptor_ = -1;
  std::uint64_t begin_ = 0;  ///< of the message that is being written
  std::uint64_t end_ = 0;
  std::string pending_;  ///< not in the file yet
  std::unordered_map<std::string, Stretch> kept_;
};

}  // namespace syncline::pop3
