/*
 * A stand-in for NVIDIA's libnvidia-ml.so.1, for tests on machines without a GPU.
 *
 * The text file named by FAKE_NVML says which GPUs the machine has and how the library behaves (its format:
 * __init__.py, next to this file). It is read once, at the first call. A mistake in it ends the process with
 * a message: a test whose spec has a typo must fail, not test something else.
 */
#define _GNU_SOURCE
#include <ctype.h>
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- What NVIDIA's header would declare ---- */

enum code {
    SUCCESS, UNINITIALIZED, INVALID_ARGUMENT, NOT_SUPPORTED, NOT_FOUND = 6, INSUFFICIENT_SIZE, GPU_IS_LOST = 15,
    ARGUMENT_VERSION_MISMATCH = 25
};

struct memory { unsigned long long total, free, used; };
struct utilization { unsigned gpu, memory; };
struct process { unsigned pid; unsigned long long bytes; unsigned gpu_instance, compute_instance; };
struct old_process { unsigned pid; unsigned long long bytes; };
struct pci_info {
    char legacy_bus_id[16];
    unsigned domain, bus, device, device_id, subsystem_id;
    char bus_id[32];
};
struct fabric { unsigned char cluster[16]; unsigned status, clique; unsigned char state; };
struct versioned_fabric { unsigned version; struct fabric fabric; unsigned health; };

/* ---- The spec in memory ---- */

enum { MAX_GPUS = 16, MAX_MIGS = 64, MAX_LISTED = 256, MAX_MIGS_PER_GPU = 7, TEXT = 128, NUMBERS = 4, NO_GPU = -1 };

enum key {
    CAPABILITY, CLOCKS, COMPUTE_MODE, CORES, DEVICE_ID, ECC, ECC_ERRORS, FABRIC, INSTANCES, MAX_CLOCKS, MEMORY,
    MIG, PCIE, PERSISTENCE, POWER, POWER_DEFAULT, REMAPPED, SUBSYSTEM_ID, TEMPERATURE, THROTTLE, UTILIZATION, VIRTUALIZATION, KEYS
};
static const struct { const char *word; int count; } KEY[KEYS] = {
    [CAPABILITY] = {"cc", 2},             [CLOCKS] = {"clocks", 2},                 [COMPUTE_MODE] = {"compute_mode", 1},
    [CORES] = {"cores", 1},               [DEVICE_ID] = {"device_id", 1},           [ECC] = {"ecc", 2},
    [ECC_ERRORS] = {"ecc_errors", 2},     [FABRIC] = {"fabric", 2},                 [INSTANCES] = {"", 2},
    [MAX_CLOCKS] = {"max_clocks", 2},     [MEMORY] = {"memory", 2},                 [MIG] = {"mig", 2},
    [PCIE] = {"pcie", 4},                 [PERSISTENCE] = {"persistence", 1},       [POWER] = {"power", 2},
    [POWER_DEFAULT] = {"power_default", 1},                                         [REMAPPED] = {"remapped", 4},
    [SUBSYSTEM_ID] = {"subsystem_id", 1}, [TEMPERATURE] = {"temperature", 1},       [THROTTLE] = {"throttle", 1},
    [UTILIZATION] = {"utilization", 2},   [VIRTUALIZATION] = {"virtualization", 1},
};

struct device { /* a GPU or a MIG device: a handle points to one of either */
    int gpu;    /* its index; a MIG device has that of the GPU it is a part of */
    bool is_mig, lost;
    char name[TEXT], uuid[TEXT];
    struct pci_info pci;
    struct { bool stated; unsigned long long number[NUMBERS]; } setting[KEYS];
};
struct fault { enum { ERROR, HANG, CRASH } kind; char function[TEXT]; int code, gpu; };
struct listed_process { int gpu; bool graphics; unsigned pid; unsigned long long mebibytes; };

static struct device gpus[MAX_GPUS], migs[MAX_MIGS];
static struct fault faults[MAX_LISTED];
static struct listed_process processes[MAX_LISTED];
static struct { unsigned pid; char name[TEXT]; } process_names[MAX_LISTED];
static int gpu_count, mig_count, fault_count, process_count, process_name_count, cuda_version, init_failure;
static char driver_version[TEXT], nvml_version[TEXT];
static atomic_int initialised; /* how often, as the real library counts */

/* ---- Reading the spec ---- */

static const char *spec_path;
static int line_number; /* 0 while no line is being read */

__attribute__((noreturn, format(printf, 1, 2))) static void bad_spec(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    fprintf(stderr, "fake_nvml: %s: ", spec_path ? spec_path : "FAKE_NVML");
    if (line_number) fprintf(stderr, "line %d: ", line_number);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    abort();
}

static char *trim(char *text) {
    while (isspace((unsigned char)*text)) text++;
    for (char *end = text + strlen(text); end > text && isspace((unsigned char)end[-1]);) *--end = '\0';
    return text;
}

/* Cuts the first word off *text and leaves *text at the next one. */
static char *next_word(char **text) {
    char *word = *text, *end = word;
    while (*end && !isspace((unsigned char)*end)) end++;
    *text = *end ? trim(end + 1) : end;
    *end = '\0';
    return word;
}

static unsigned long long next_number(char **text) {
    char *word = next_word(text), *end;
    unsigned long long number = strtoull(word, &end, 0);
    if (!isdigit((unsigned char)*word) || *end) bad_spec("'%s' is not a number", word);
    return number;
}

static void end_of_line(const char *rest) {
    if (*rest) bad_spec("more than expected: '%s'", rest);
}

static void dots_to_spaces(char *text) {
    for (; *text; text++) if (*text == '.') *text = ' ';
}

static void set_text(char *target, const char *text) {
    if (!*text || strlen(text) >= TEXT) bad_spec("a text of 1 to %d characters is needed", TEXT - 1);
    strcpy(target, text);
}

static int next_free(int *count, int most) {
    if (*count == most) bad_spec("more than %d of these", most);
    return (*count)++;
}

static void read_numbers(struct device *device, enum key key, char **rest) {
    if (device->setting[key].stated) bad_spec("'%s' is stated twice", KEY[key].word);
    device->setting[key].stated = true;
    for (int i = 0; i < KEY[key].count; i++) device->setting[key].number[i] = next_number(rest);
}

static void read_fault(int kind, char *rest) {
    struct fault *fault = &faults[next_free(&fault_count, MAX_LISTED)];
    set_text(fault->function, next_word(&rest));
    void *this_library = dlopen("libnvidia-ml.so.1", RTLD_LAZY | RTLD_NOLOAD);
    if (!this_library || !dlsym(this_library, fault->function)) bad_spec("unknown function '%s'", fault->function);
    dlclose(this_library);
    fault->kind = kind;
    fault->code = kind == ERROR ? (int)next_number(&rest) : SUCCESS;
    fault->gpu = *rest ? (int)next_number(&rest) : NO_GPU;
    end_of_line(rest);
}

static void read_bus(struct pci_info *pci, const char *text) {
    int length = 0;
    sscanf(text, "%x:%x:%x.0%n", &pci->domain, &pci->bus, &pci->device, &length);
    if (!length || text[length]) bad_spec("'%s' is not like 00000000:01:00.0", text);
    snprintf(pci->bus_id, sizeof pci->bus_id, "%08X:%02X:%02X.0", pci->domain, pci->bus, pci->device);
    snprintf(pci->legacy_bus_id, sizeof pci->legacy_bus_id, "%04X:%02X:%02X.0", pci->domain & 0xFFFF, pci->bus & 0xFF,
             pci->device & 0xFF);
}

static void read_mig_device(int gpu, char *rest) {
    struct device *mig = &migs[next_free(&mig_count, MAX_MIGS)];
    mig->gpu = gpu;
    mig->is_mig = true;
    set_text(mig->uuid, next_word(&rest));
    read_numbers(mig, INSTANCES, &rest);
    mig->setting[MEMORY].number[0] = next_number(&rest);
    mig->setting[MEMORY].stated = true;
    set_text(mig->name, rest);
}

static void read_process(int gpu, bool graphics, char *rest) {
    struct listed_process *process = &processes[next_free(&process_count, MAX_LISTED)];
    *process = (struct listed_process){.gpu = gpu, .graphics = graphics, .pid = (unsigned)next_number(&rest)};
    process->mebibytes = next_number(&rest);
    end_of_line(rest);
}

static bool read_machine_line(const char *word, char *rest) {
    if (!strcmp(word, "driver")) set_text(driver_version, rest);
    else if (!strcmp(word, "nvml")) set_text(nvml_version, rest);
    else if (!strcmp(word, "error")) read_fault(ERROR, rest);
    else if (!strcmp(word, "hang")) read_fault(HANG, rest);
    else if (!strcmp(word, "crash")) read_fault(CRASH, rest);
    else if (!strcmp(word, "missing")) return true; /* the build has left the function out */
    else if (!strcmp(word, "gpu")) {
        end_of_line(rest);
        int gpu = next_free(&gpu_count, MAX_GPUS);
        gpus[gpu].gpu = gpu;
    } else if (!strcmp(word, "init")) {
        init_failure = (int)next_number(&rest);
        end_of_line(rest);
    } else if (!strcmp(word, "cuda")) {
        dots_to_spaces(rest);
        cuda_version = (int)next_number(&rest) * 1000;
        cuda_version += (int)next_number(&rest) * 10;
        end_of_line(rest);
    } else if (!strcmp(word, "processname")) {
        int entry = next_free(&process_name_count, MAX_LISTED);
        process_names[entry].pid = (unsigned)next_number(&rest);
        set_text(process_names[entry].name, rest);
    } else return false;
    return true;
}

static bool read_gpu_line(struct device *gpu, const char *word, char *rest) {
    if (!strcmp(word, "name")) return set_text(gpu->name, rest), true;
    if (!strcmp(word, "uuid")) return set_text(gpu->uuid, rest), true;
    if (!strcmp(word, "bus")) return read_bus(&gpu->pci, rest), true;
    if (!strcmp(word, "migdevice")) return read_mig_device(gpu->gpu, rest), true;
    if (!strcmp(word, "process")) return read_process(gpu->gpu, false, rest), true;
    if (!strcmp(word, "graphics")) return read_process(gpu->gpu, true, rest), true;
    if (!strcmp(word, "lost")) return end_of_line(rest), gpu->lost = true;
    if (!strcmp(word, "cc")) dots_to_spaces(rest);
    for (int key = 0; key < KEYS; key++)
        if (!strcmp(word, KEY[key].word)) return read_numbers(gpu, key, &rest), end_of_line(rest), true;
    return false;
}

static void read_spec(void) {
    spec_path = getenv("FAKE_NVML");
    FILE *file = spec_path ? fopen(spec_path, "r") : NULL;
    if (!file) bad_spec("cannot read the spec: %s", spec_path ? strerror(errno) : "the variable is not set");
    char line[1024];
    while (fgets(line, sizeof line, file)) {
        line_number++;
        if (strlen(line) == sizeof line - 1) bad_spec("line too long");
        line[strcspn(line, "#")] = '\0';
        char *rest = trim(line), *word = next_word(&rest);
        if (!*word || read_machine_line(word, rest)) continue;
        if (!gpu_count) bad_spec("unknown key '%s', or a 'gpu' line is missing before it", word);
        if (!read_gpu_line(&gpus[gpu_count - 1], word, rest)) bad_spec("unknown key '%s'", word);
    }
    line_number = 0;
    if (ferror(file)) bad_spec("cannot read the spec: %s", strerror(errno));
    fclose(file);
    for (int i = 0; i < fault_count; i++)
        if (faults[i].gpu >= gpu_count) bad_spec("%s: there is no GPU %d", faults[i].function, faults[i].gpu);
}

/* ---- What every function begins with ---- */

#define TRY(call) do { int code_ = (call); if (code_ != SUCCESS) return code_; } while (0)

/* Returns the error the spec wants from this call. Of several lines that fit, the last one counts. */
static int planned_fault(const char *function, int gpu) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, read_spec);
    for (int i = fault_count - 1; i >= 0; i--) {
        if (strcmp(faults[i].function, function) || (faults[i].gpu != NO_GPU && faults[i].gpu != gpu)) continue;
        while (faults[i].kind == HANG) pause();
        while (faults[i].kind == CRASH) raise(SIGSEGV);
        return faults[i].code;
    }
    return SUCCESS;
}

static int enter(const char *function, int gpu) {
    int planned = planned_fault(function, gpu);
    if (!initialised) return UNINITIALIZED;
    return gpu >= 0 && gpu < gpu_count && gpus[gpu].lost ? GPU_IS_LOST : planned;
}

/* A handle may be garbage, so it is looked up before it is followed. */
static int enter_device(const char *function, const struct device *device) {
    bool known = false;
    for (int i = 0; i < MAX_GPUS; i++) known |= device == &gpus[i];
    for (int i = 0; i < MAX_MIGS; i++) known |= device == &migs[i];
    TRY(enter(function, known ? device->gpu : NO_GPU));
    return known ? SUCCESS : INVALID_ARGUMENT;
}

static int give_long(const char *function, struct device *device, enum key key, int slot, unsigned long long *answer) {
    TRY(enter_device(function, device));
    if (!answer) return INVALID_ARGUMENT;
    *answer = device->setting[key].number[slot];
    return device->setting[key].stated ? SUCCESS : NOT_SUPPORTED;
}

static int give_number(const char *function, struct device *device, enum key key, int slot, unsigned *answer) {
    unsigned long long number;
    TRY(give_long(function, device, key, slot, answer ? &number : NULL));
    *answer = (unsigned)number;
    return SUCCESS;
}

static int give_text(const char *text, char *buffer, unsigned size) {
    if (!buffer) return INVALID_ARGUMENT;
    if (!*text) return NOT_SUPPORTED;
    if (strlen(text) >= size) return INSUFFICIENT_SIZE;
    strcpy(buffer, text);
    return SUCCESS;
}

/* ---- The library and the machine ---- */

static int initialise(const char *function) {
    TRY(planned_fault(function, NO_GPU));
    TRY(init_failure);
    initialised++;
    return SUCCESS;
}

int nvmlInit_v2(void) { return initialise(__func__); }
int nvmlInitWithFlags(unsigned flags) { (void)flags; return initialise(__func__); }

int nvmlShutdown(void) {
    TRY(enter(__func__, NO_GPU));
    initialised--;
    return SUCCESS;
}

const char *nvmlErrorString(int code) {
    static const char *const text[] = {
        "Success", "Uninitialized", "Invalid Argument", "Not Supported", "Insufficient Permissions",
        "Already Initialized", "Not Found", "Insufficient Size", "Insufficient External Power", "Driver Not Loaded",
        "Timeout", "Interrupt Request Issue", "NVML Shared Library Not Found", "Function Not Found",
        "Corrupted infoROM", "GPU is lost", "GPU requires restart", "The operating system has blocked the request.",
        "Driver/library version mismatch", "In use by another client", "Insufficient Memory", "No data",
    };
    planned_fault(__func__, NO_GPU); /* has no error to return, but may hang or crash */
    return code >= 0 && code < (int)(sizeof text / sizeof *text) ? text[code] : "Unknown Error";
}

int nvmlSystemGetDriverVersion(char *buffer, unsigned size) {
    TRY(enter(__func__, NO_GPU));
    return give_text(driver_version, buffer, size);
}

int nvmlSystemGetNVMLVersion(char *buffer, unsigned size) {
    TRY(planned_fault(__func__, NO_GPU));
    return give_text(nvml_version, buffer, size);
}

static int give_cuda_version(const char *function, int *answer) {
    TRY(enter(function, NO_GPU));
    if (!answer) return INVALID_ARGUMENT;
    *answer = cuda_version;
    return cuda_version ? SUCCESS : NOT_SUPPORTED;
}

int nvmlSystemGetCudaDriverVersion(int *answer) { return give_cuda_version(__func__, answer); }
int nvmlSystemGetCudaDriverVersion_v2(int *answer) { return give_cuda_version(__func__, answer); }

int nvmlSystemGetProcessName(unsigned pid, char *buffer, unsigned size) {
    TRY(enter(__func__, NO_GPU));
    for (int i = 0; i < process_name_count; i++)
        if (process_names[i].pid == pid) return give_text(process_names[i].name, buffer, size);
    return NOT_FOUND;
}

int nvmlDeviceGetCount_v2(unsigned *count) {
    TRY(enter(__func__, NO_GPU));
    if (!count) return INVALID_ARGUMENT;
    *count = (unsigned)gpu_count;
    return SUCCESS;
}

int nvmlDeviceGetHandleByIndex_v2(unsigned index, struct device **handle) {
    TRY(enter(__func__, index < MAX_GPUS ? (int)index : NO_GPU));
    if (!handle || index >= (unsigned)gpu_count) return INVALID_ARGUMENT;
    *handle = &gpus[index];
    return SUCCESS;
}

/* ---- Processes that come and go ---- */

static void add_process(struct process *list, unsigned *count, unsigned pid, unsigned long long mebibytes) {
    if (*count == MAX_LISTED) bad_spec("more than %d processes on one GPU", MAX_LISTED);
    const unsigned no_instance = 0xFFFFFFFF;
    list[(*count)++] = (struct process){pid, mebibytes << 20, no_instance, no_instance};
}

/* Adds what the directory FAKE_NVML_PROCESSES holds: files called <pid> with '<gpu index> <MiB>' in them. */
static void add_registered(int gpu, struct process *list, unsigned *count) {
    const char *path = getenv("FAKE_NVML_PROCESSES");
    DIR *directory = path ? opendir(path) : NULL;
    if (path && !directory) bad_spec("cannot read FAKE_NVML_PROCESSES %s: %s", path, strerror(errno));
    for (struct dirent *entry; directory && (entry = readdir(directory));) {
        if (entry->d_name[strspn(entry->d_name, "0123456789")]) continue; /* "..", or not renamed to its pid yet */
        char file_path[8192];
        snprintf(file_path, sizeof file_path, "%s/%s", path, entry->d_name);
        FILE *file = fopen(file_path, "r");
        if (!file) continue; /* the process has just gone */
        int on_gpu;
        unsigned long long mebibytes;
        int found = fscanf(file, "%d %llu", &on_gpu, &mebibytes);
        fclose(file);
        if (found == EOF) continue; /* the process is about to write it */
        if (found != 2 || on_gpu < 0 || on_gpu >= gpu_count) bad_spec("%s: want '<gpu index> <MiB>'", file_path);
        if (on_gpu == gpu) add_process(list, count, (unsigned)strtoul(entry->d_name, NULL, 10), mebibytes);
    }
    if (directory) closedir(directory);
}

static unsigned long long registered_bytes(int gpu) {
    struct process list[MAX_LISTED];
    unsigned count = 0;
    unsigned long long sum = 0;
    add_registered(gpu, list, &count);
    while (count) sum += list[--count].bytes;
    return sum;
}

/* ---- One GPU ---- */

#define NUMBER_GETTER(function, type, give, key, slot) \
    int function(struct device *device, type *answer) { return give(__func__, device, key, slot, answer); }
#define PAIR_GETTER(function, key) \
    int function(struct device *device, unsigned *first, unsigned *second) { \
        TRY(give_number(__func__, device, key, 0, first)); \
        return give_number(__func__, device, key, 1, second); \
    }

PAIR_GETTER(nvmlDeviceGetCudaComputeCapability, CAPABILITY)
PAIR_GETTER(nvmlDeviceGetEccMode, ECC)
PAIR_GETTER(nvmlDeviceGetMigMode, MIG)
NUMBER_GETTER(nvmlDeviceGetComputeInstanceId, unsigned, give_number, INSTANCES, 1)
NUMBER_GETTER(nvmlDeviceGetComputeMode, unsigned, give_number, COMPUTE_MODE, 0)
NUMBER_GETTER(nvmlDeviceGetCurrPcieLinkGeneration, unsigned, give_number, PCIE, 0)
NUMBER_GETTER(nvmlDeviceGetCurrPcieLinkWidth, unsigned, give_number, PCIE, 2)
NUMBER_GETTER(nvmlDeviceGetCurrentClocksEventReasons, unsigned long long, give_long, THROTTLE, 0)
NUMBER_GETTER(nvmlDeviceGetCurrentClocksThrottleReasons, unsigned long long, give_long, THROTTLE, 0)
NUMBER_GETTER(nvmlDeviceGetEnforcedPowerLimit, unsigned, give_number, POWER, 1)
NUMBER_GETTER(nvmlDeviceGetGpuInstanceId, unsigned, give_number, INSTANCES, 0)
NUMBER_GETTER(nvmlDeviceGetMaxPcieLinkGeneration, unsigned, give_number, PCIE, 1)
NUMBER_GETTER(nvmlDeviceGetMaxPcieLinkWidth, unsigned, give_number, PCIE, 3)
NUMBER_GETTER(nvmlDeviceGetNumGpuCores, unsigned, give_number, CORES, 0)
NUMBER_GETTER(nvmlDeviceGetPersistenceMode, unsigned, give_number, PERSISTENCE, 0)
NUMBER_GETTER(nvmlDeviceGetPowerManagementDefaultLimit, unsigned, give_number, POWER_DEFAULT, 0)
NUMBER_GETTER(nvmlDeviceGetPowerUsage, unsigned, give_number, POWER, 0)
NUMBER_GETTER(nvmlDeviceGetVirtualizationMode, unsigned, give_number, VIRTUALIZATION, 0)

int nvmlDeviceGetName(struct device *device, char *buffer, unsigned size) {
    TRY(enter_device(__func__, device));
    return give_text(device->name, buffer, size);
}

int nvmlDeviceGetUUID(struct device *device, char *buffer, unsigned size) {
    TRY(enter_device(__func__, device));
    return give_text(device->uuid, buffer, size);
}

int nvmlDeviceGetPciInfo_v3(struct device *device, struct pci_info *info) {
    TRY(enter_device(__func__, device));
    if (!info) return INVALID_ARGUMENT;
    *info = device->pci;
    info->device_id = (unsigned)device->setting[DEVICE_ID].number[0];
    info->subsystem_id = (unsigned)device->setting[SUBSYSTEM_ID].number[0];
    return *info->bus_id ? SUCCESS : NOT_SUPPORTED;
}

int nvmlDeviceGetMemoryInfo(struct device *device, struct memory *memory) {
    TRY(give_long(__func__, device, MEMORY, 0, memory ? &memory->total : NULL));
    memory->total <<= 20;
    memory->used = device->setting[MEMORY].number[1] << 20;
    if (!device->is_mig) memory->used += registered_bytes(device->gpu);
    memory->free = memory->total - memory->used;
    return SUCCESS;
}

int nvmlDeviceGetTemperature(struct device *device, unsigned sensor, unsigned *celsius) {
    return give_number(__func__, device, TEMPERATURE, 0, sensor == 0 ? celsius : NULL);
}

static int give_clock(const char *function, struct device *device, enum key key, unsigned type, unsigned *mhz) {
    enum { GRAPHICS, SM, MEMORY_CLOCK, VIDEO };
    TRY(give_number(function, device, key, type == MEMORY_CLOCK, type <= VIDEO ? mhz : NULL));
    return type == VIDEO ? NOT_SUPPORTED : SUCCESS; /* a spec says nothing about video */
}

int nvmlDeviceGetClockInfo(struct device *device, unsigned type, unsigned *mhz) {
    return give_clock(__func__, device, CLOCKS, type, mhz);
}

int nvmlDeviceGetMaxClockInfo(struct device *device, unsigned type, unsigned *mhz) {
    return give_clock(__func__, device, MAX_CLOCKS, type, mhz);
}

int nvmlDeviceGetTotalEccErrors(struct device *device, unsigned type, unsigned counter, unsigned long long *count) {
    bool known = type <= 1 && counter <= 1; /* 0 corrected, 1 not; both counters give the same number */
    return give_long(__func__, device, ECC_ERRORS, type == 1, known ? count : NULL);
}

int nvmlDeviceGetRemappedRows(struct device *device, unsigned *corrected, unsigned *not, unsigned *pending,
                              unsigned *failed) {
    unsigned *answers[NUMBERS] = {corrected, not, pending, failed};
    for (int i = 0; i < NUMBERS; i++) TRY(give_number(__func__, device, REMAPPED, i, answers[i]));
    return SUCCESS;
}

int nvmlDeviceGetUtilizationRates(struct device *device, struct utilization *rates) {
    TRY(give_number(__func__, device, UTILIZATION, 0, rates ? &rates->gpu : NULL));
    return give_number(__func__, device, UTILIZATION, 1, &rates->memory);
}

static int give_fabric(const char *function, struct device *device, struct fabric *fabric) {
    unsigned state;
    TRY(give_number(function, device, FABRIC, 0, fabric ? &state : NULL));
    *fabric = (struct fabric){.state = (unsigned char)state, .status = (unsigned)device->setting[FABRIC].number[1]};
    return SUCCESS;
}

int nvmlDeviceGetGpuFabricInfo(struct device *device, struct fabric *fabric) {
    return give_fabric(__func__, device, fabric);
}

int nvmlDeviceGetGpuFabricInfoV(struct device *device, struct versioned_fabric *answer) {
    TRY(give_fabric(__func__, device, answer ? &answer->fabric : NULL));
    return answer->version == (2u << 24 | sizeof *answer) ? SUCCESS : ARGUMENT_VERSION_MISMATCH;
}

/* ---- MIG ---- */

int nvmlDeviceGetMaxMigDeviceCount(struct device *device, unsigned *count) {
    TRY(enter_device(__func__, device));
    if (!count) return INVALID_ARGUMENT;
    *count = device->setting[MIG].number[0] ? MAX_MIGS_PER_GPU : 0; /* documented: zero, not an error, without MIG */
    return SUCCESS;
}

int nvmlDeviceGetMigDeviceHandleByIndex(struct device *device, unsigned index, struct device **handle) {
    TRY(enter_device(__func__, device));
    if (!device->setting[MIG].number[0]) return NOT_SUPPORTED;
    if (!handle || index >= MAX_MIGS_PER_GPU) return INVALID_ARGUMENT;
    for (int i = 0; i < mig_count; i++) {
        if (migs[i].gpu != device->gpu || index-- > 0) continue;
        *handle = &migs[i];
        return SUCCESS;
    }
    return NOT_FOUND;
}

/* ---- Processes ---- */

static int give_processes(const char *function, struct device *device, bool graphics, unsigned *count,
                          struct process *answer) {
    TRY(enter_device(function, device));
    if (!count || (*count && !answer)) return INVALID_ARGUMENT;
    struct process list[MAX_LISTED];
    unsigned room = *count;
    *count = 0;
    for (int i = 0; i < process_count && !device->is_mig; i++)
        if (processes[i].gpu == device->gpu && processes[i].graphics == graphics)
            add_process(list, count, processes[i].pid, processes[i].mebibytes);
    if (!graphics && !device->is_mig) add_registered(device->gpu, list, count);
    if (*count > room) return INSUFFICIENT_SIZE;
    if (*count) memcpy(answer, list, *count * sizeof *list);
    return SUCCESS;
}

static int give_old_processes(const char *function, struct device *device, bool graphics, unsigned *count,
                              struct old_process *answer) {
    struct process list[MAX_LISTED];
    TRY(give_processes(function, device, graphics, count, count && *count && answer ? list : NULL));
    for (unsigned i = 0; i < *count; i++) answer[i] = (struct old_process){list[i].pid, list[i].bytes};
    return SUCCESS;
}

int nvmlDeviceGetComputeRunningProcesses(struct device *device, unsigned *count, struct old_process *answer) {
    return give_old_processes(__func__, device, false, count, answer);
}

int nvmlDeviceGetComputeRunningProcesses_v2(struct device *device, unsigned *count, struct process *answer) {
    return give_processes(__func__, device, false, count, answer);
}

int nvmlDeviceGetComputeRunningProcesses_v3(struct device *device, unsigned *count, struct process *answer) {
    return give_processes(__func__, device, false, count, answer);
}

int nvmlDeviceGetGraphicsRunningProcesses(struct device *device, unsigned *count, struct old_process *answer) {
    return give_old_processes(__func__, device, true, count, answer);
}

int nvmlDeviceGetGraphicsRunningProcesses_v2(struct device *device, unsigned *count, struct process *answer) {
    return give_processes(__func__, device, true, count, answer);
}

int nvmlDeviceGetGraphicsRunningProcesses_v3(struct device *device, unsigned *count, struct process *answer) {
    return give_processes(__func__, device, true, count, answer);
}
