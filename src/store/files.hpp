// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Files and folders as the store needs them: private to their owner, durable when asked, errors in the
// store's words.
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "base/error.hpp"

namespace syncline::store {

/// A file descriptor that is closed when it goes; -1: none.
class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int number) noexcept : number_(number) {}
  Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept;
  ~Descriptor();
  int get() const noexcept { return number_; }
  int release() noexcept { return std::exchange(number_, -1); }
  explicit operator bool() const noexcept { return number_ >= 0; }

 private:
  int number_ = -1;
};

/// What errno says, in the store's codes: "disk-full", "read-only", else "io". `doing`: "write /x/y".
Error file_error(int error_number, std::string_view doing);

/// mkdir with mode 0700; it is no error that it is there. The folder above it must be.
Result<void> make_folder(const std::string& path);
/// Makes the folder's entries durable.
Result<void> sync_folder(const std::string& path);
Result<void> sync_file(int descriptor, std::string_view path);
/// Lets the system begin to write a file to the disk, so that a later sync_file finds it there. A hint only.
void start_writing(int descriptor) noexcept;
Result<void> write_all(int descriptor, std::span<const std::byte> octets, std::string_view path);

}  // namespace syncline::store
