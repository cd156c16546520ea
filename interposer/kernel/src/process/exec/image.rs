//! A program that was opened, and its loading.

use alloc::{rc::Rc, vec::Vec};

use simrun_abi::{boot::Processor, layout};

use super::{elf::Elf, preload, stack};
use crate::{
    arch::x86_64::Registers,
    error::{Errno, Error, Result},
    fs::{Inode, Running},
    host::{self, Backing, Host, HostFd, ProgramPlaces},
    machine::Machine,
    mm::{AddressSpace, MapFlags, Mapping, Protection, Range, prefault},
    process::{Process, code},
};

struct Part {
    fd: HostFd,
    elf: Elf,
    path: Vec<u8>,
    file: Rc<Inode>,
}

/// A file that was opened for execution.
pub struct OpenedProgram {
    /// A descriptor of the host, which is whoever has this to close.
    pub fd: HostFd,
    /// Its absolute path, behind symbolic links.
    pub path: Vec<u8>,
    /// The file.
    pub file: Rc<Inode>,
}

/// A program that was opened and found sound, with its interpreter.
pub struct Image {
    program: Part,
    /// The program's path as it was called; after `#!` lines, the last one's.
    name: Vec<u8>,
    interpreter: Option<Part>,
    /// Path for `AT_EXECFN` and the log.
    pub path: Vec<u8>,
    /// Arguments, those that a `#!` line adds included.
    pub arguments: Vec<Vec<u8>>,
    /// Environment.
    pub environment: Vec<Vec<u8>>,
}

/// Longest `#!` line (include/linux/binfmts.h, `BINPRM_BUF_SIZE`).
const SCRIPT_LINE_MAX: usize = 256;
/// Most scripts that are each other's interpreter (fs/exec.c).
const SCRIPT_DEPTH_MAX: usize = 5;

/// Opens a file by absolute path for execution.
pub type Opener<'a> = dyn FnMut(&mut dyn Host, &[u8]) -> Result<OpenedProgram> + 'a;

impl Image {
    /// Opens a program and whatever it needs to be loaded.
    ///
    /// # Errors
    /// As execve(2).
    pub fn open(
        host: &mut dyn Host,
        open: &mut Opener<'_>,
        path: &[u8],
        arguments: Vec<Vec<u8>>,
        environment: Vec<Vec<u8>>,
    ) -> Result<Self> {
        let (mut file, mut arguments) = (path.to_vec(), arguments);
        for _ in 0..SCRIPT_DEPTH_MAX {
            let opened = open(host, &file)?;
            let fd = opened.fd;
            let Some(line) = script_line(host, fd)? else {
                let program = (Part::parse(host, opened)?, file);
                return Self::open_elf(host, open, program, path, arguments, environment);
            };
            host.close(fd);
            let (interpreter, argument) = line;
            let rest = arguments.split_off(1.min(arguments.len()));
            arguments = [Some(interpreter.clone()), argument, Some(file)]
                .into_iter()
                .flatten()
                .chain(rest)
                .collect();
            file = interpreter;
        }
        Err(Error::new(Errno::ELOOP, "too many scripts in a row"))
    }

    fn open_elf(
        host: &mut dyn Host,
        open: &mut Opener<'_>,
        (program, name): (Part, Vec<u8>),
        path: &[u8],
        arguments: Vec<Vec<u8>>,
        environment: Vec<Vec<u8>>,
    ) -> Result<Self> {
        let interpreter = match program.interpreter_path(host) {
            Ok(None) => None,
            Ok(Some(loader)) => {
                match open(host, &loader).and_then(|opened| Part::parse(host, opened)) {
                    Ok(part) => Some(part),
                    Err(error) => {
                        host.close(program.fd);
                        return Err(error);
                    }
                }
            }
            Err(error) => {
                host.close(program.fd);
                return Err(error);
            }
        };
        Ok(Self { program, name, interpreter, path: path.to_vec(), arguments, environment })
    }

    /// Lets it go without loading it.
    pub fn discard(self, host: &mut dyn Host) {
        host.close(self.program.fd);
        if let Some(interpreter) = self.interpreter {
            host.close(interpreter.fd);
        }
    }
}

impl Part {
    fn parse(host: &mut dyn Host, opened: OpenedProgram) -> Result<Self> {
        let OpenedProgram { fd, path, file } = opened;
        match Elf::parse(|into, offset| read_full(host, fd, into, offset)) {
            Ok(elf) => Ok(Self { fd, elf, path, file }),
            Err(error) => {
                host.close(fd);
                Err(error)
            }
        }
    }

    fn interpreter_path(&self, host: &mut dyn Host) -> Result<Option<Vec<u8>>> {
        let Some((offset, len)) = self.elf.interpreter else { return Ok(None) };
        if !(2..=4096).contains(&len) {
            return Err(Errno::ENOEXEC.into());
        }
        let mut name = alloc::vec![0; len as usize];
        read_full(host, self.fd, &mut name, offset)?;
        if name.pop() != Some(0) {
            return Err(Error::new(Errno::ENOEXEC, "the interpreter's path does not end"));
        }
        Ok(Some(name))
    }

    /// Maps all segments at a bias.
    fn map(
        &self,
        host: &mut dyn Host,
        machine: &mut Machine,
        space: &mut AddressSpace,
        bias: u64,
    ) -> Result<()> {
        for segment in &self.elf.segments {
            let start = segment.address + bias;
            let prot = segment.protection();
            let file = Range {
                start: start & !4095,
                end: (start + segment.file_size).next_multiple_of(4096),
            };
            let memory_end = (start + segment.memory_size).next_multiple_of(4096);
            let mut zeroed_from = file.start;
            if segment.file_size > 0 {
                let offset = segment.offset & !4095;
                let flags = MapFlags::PRIVATE | MapFlags::DENYWRITE;
                let at_once = prefault(flags, prot, file.len());
                let backing = Backing::File(self.fd, offset);
                host.map(file.start, file.len(), prot, flags | at_once, backing)?;
                let mapping = Mapping {
                    offset,
                    inode: self.file.number,
                    ..Mapping::anonymous(prot, MapFlags::PRIVATE, &self.path)
                };
                space.insert(file, mapping);
                if prot.contains(Protection::EXEC) {
                    let from = (self.fd, offset);
                    code::take_over(host, &mut machine.code, space, file, prot, from);
                }
                zeroed_from = file.end;
                if segment.memory_size > segment.file_size && prot.contains(Protection::WRITE) {
                    let tail = start + segment.file_size;
                    let zeros = alloc::vec![0; (file.end - tail) as usize];
                    host.write_user(tail, &zeros)?;
                }
            }
            if memory_end > zeroed_from {
                let range = Range { start: zeroed_from, end: memory_end };
                let flags = MapFlags::PRIVATE | MapFlags::ANONYMOUS;
                host.map(range.start, range.len(), prot, flags, Backing::Anonymous)?;
                space.insert(range, Mapping::anonymous(prot, flags, b""));
            }
        }
        Ok(())
    }
}

pub(in crate::process) fn read_full(
    host: &mut dyn Host,
    fd: HostFd,
    into: &mut [u8],
    offset: u64,
) -> Result<usize> {
    host::read_full(into, offset, |into, at| Ok(host.pread(fd, into, at)?))
}

type ScriptLine = (Vec<u8>, Option<Vec<u8>>);

/// Interpreter and argument of a `#!` line; `None` for another kind of file.
fn script_line(host: &mut dyn Host, fd: HostFd) -> Result<Option<ScriptLine>> {
    let mut buffer = [0; SCRIPT_LINE_MAX];
    let len = read_full(host, fd, &mut buffer, 0).inspect_err(|_| host.close(fd))?;
    let Some(line) = buffer[..len].strip_prefix(b"#!") else { return Ok(None) };
    let line = line.split(|&b| b == b'\n' || b == 0).next().unwrap_or_default().trim_ascii();
    let name_len = line.iter().position(|b| b" \t".contains(b)).unwrap_or(line.len());
    let (name, argument) =
        (line[..name_len].to_vec(), line[name_len..].trim_ascii_start().to_vec());
    if name.is_empty() {
        host.close(fd);
        return Err(Error::new(Errno::ENOEXEC, "the #! line names no interpreter"));
    }
    Ok(Some((name, (!argument.is_empty()).then_some(argument))))
}

/// Replaces the program of a process; the address space must be its own.
///
/// # Errors
/// What mapping fails with: the process cannot go on then.
pub fn load(
    host: &mut dyn Host,
    machine: &mut Machine,
    process: &mut Process,
    space: &mut AddressSpace,
    image: Image,
    processor: Processor,
) -> Result<Registers> {
    host.unmap_program();
    *space = AddressSpace::default();
    let Image { program, name, interpreter, path, arguments, environment } = image;
    let bias = if program.elf.position_independent {
        layout::PROGRAM_BASE.next_multiple_of(program.elf.align()) - program.elf.extent().0
    } else {
        0
    };
    program.map(host, machine, space, bias)?;
    let mut interpreter_bias = 0;
    let mut start = program.elf.entry + bias;
    if let Some(part) = &interpreter {
        let (low, high) = part.elf.extent();
        interpreter_bias = space.find_free(high - low, part.elf.align())? - low;
        part.map(host, machine, space, interpreter_bias)?;
        start = part.elf.entry + interpreter_bias;
    }
    let mut prot = Protection::READ | Protection::WRITE;
    prot.set(Protection::EXEC, program.elf.executable_stack);
    let headers = stack::Headers {
        address: program.elf.headers_address + bias,
        count: program.elf.headers_count,
        interpreter_base: interpreter_bias,
        entry: program.elf.entry + bias,
        processor,
    };
    let built = stack::build(
        host,
        machine,
        space,
        process,
        &headers,
        prot,
        &path,
        &arguments,
        &environment,
    )?;
    process.preload = machine.config.preload
        && interpreter
            .as_ref()
            .is_some_and(|loader| preload::suits(host, program.fd, &program.elf, &loader.path));
    host.close(program.fd);
    if let Some(part) = interpreter {
        host.close(part.fd);
    }
    process.program = name.into();
    machine.program = Rc::clone(&process.program);
    process.executable = program.path.as_slice().into();
    process.running = Some(Running::new(program.file));
    let name = path.rsplit(|&b| b == b'/').next().unwrap_or(&path);
    host.describe_program(&ProgramPlaces {
        name,
        arguments: built.arguments,
        environment: built.environment,
        stack: built.pointer,
        brk: layout::BREAK_BASE,
    });
    host.reset_extended_state();
    Ok(Registers { rip: start, rsp: built.pointer, eflags: 0x202, ..Registers::default() })
}
