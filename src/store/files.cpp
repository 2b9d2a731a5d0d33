// SPDX-License-Identifier: GPL-3.0-or-later
#include "store/files.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace syncline::store {

Descriptor& Descriptor::operator=(Descriptor&& other) noexcept {
  if (this != &other) {
    if (number_ >= 0) ::close(number_);
    number_ = std::exchange(other.number_, -1);
  }
  return *this;
}

Descriptor::~Descriptor() {
  if (number_ >= 0) ::close(number_);
}

Error file_error(int error_number, std::string_view doing) {
  Error error;
  error.domain = ErrorDomain::local;
  switch (error_number) {
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
      error.code = "disk-full";
      error.retry = RetryClass::after;
      break;
    case EROFS:
    case EACCES:
    case EPERM:
      error.code = "read-only";
      break;
    default:
      error.code = "io";
  }
  error.message = "cannot " + std::string(doing) + ": " + std::generic_category().message(error_number);
  return error;
}

Result<void> make_folder(const std::string& path) {
  if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST)
    return fail(file_error(errno, "make folder " + path));
  return {};
}

Result<void> sync_folder(const std::string& path) {
  const Descriptor folder(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder) return fail(file_error(errno, "open folder " + path));
  return sync_file(folder.get(), path);
}

Result<void> sync_file(int descriptor, std::string_view path) {
  if (::fsync(descriptor) != 0) return fail(file_error(errno, "write to disk " + std::string(path)));
  return {};
}

void start_writing(int descriptor) noexcept {
#ifdef SYNC_FILE_RANGE_WRITE
  ::sync_file_range(descriptor, 0, 0, SYNC_FILE_RANGE_WRITE);
#else
  static_cast<void>(descriptor);
#endif
}

Result<void> write_all(int descriptor, std::span<const std::byte> octets, std::string_view path) {
  while (!octets.empty()) {
    const ssize_t written = ::write(descriptor, octets.data(), octets.size());
    if (written < 0) {
      if (errno == EINTR) continue;
      return fail(file_error(errno, "write " + std::string(path)));
    }
    octets = octets.subspan(static_cast<std::size_t>(written));
  }
  return {};
}

}  // namespace syncline::store
