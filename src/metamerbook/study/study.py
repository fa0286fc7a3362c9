"""The study: networks, images, a store and settings, as chapters and the command line use them."""

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from metamerbook.engine.context import Context
from metamerbook.engine.execute import execute
from metamerbook.engine.scheduler import check_scheduler
from metamerbook.engine.store import Store
from metamerbook.engine.task import Task
from metamerbook.study.networks import ModelSet, Networks, check_keys
from metamerbook.study.settings import StudySettings, setting_names
from metamerbook.study.tasks import MetamerRun, StimuliRef
from metamerlib.checks import LARGEST_SEED, counted, names, shown, whole_number
from metamerlib.generation import GenerationConfig, Metamers
from metamerlib.models import STAGES, Classifier, MissingWeightsError, ModelZoo, Stage
from metamerlib.stimuli import StimulusSet

_REHEARSAL = (
    "**A rehearsal with random weights: no number and no verdict on this page means anything.** The networks have the "
    "paper's architectures and were never trained. Where the text calls them trained, robust or distilled, it speaks "
    "of the parts that they play.\n\n"
)


class Study:
    """Metamers of chosen sets and stages, and what is measured on them; computed once, then found in the store.

    Most callers use `from_profile`. Nothing is computed before a result is asked for.

    Parameters
    ----------
    models
        Networks of one's own beside the zoo's; model sets can name them, and they evaluate like the others.
    references, zoo
        Images and networks (a `ModelZoo`, or any mapping of key to `Classifier`) in place of the settings'.
    store
        Where results are kept; `Store.default` by default.
    progress
        Whether to draw progress bars; None draws them on terminals and in Jupyter.
    scheduler
        A Dask cluster: the scheduler's address or .json file, "local", a `distributed.Client`, or a cluster such as
        dask-jobqueue's. None takes the one that ``$METAMERLIB_SCHEDULER`` names, if any.

    Examples
    --------
    >>> from metamerbook import Study
    >>> study = Study.from_profile("mini", model_sets=["CNN"], stages=["late"])
    >>> study.settings.stages
    ('late',)
    """

    def __init__(
        self,
        settings: StudySettings,
        *,
        models: Iterable[Classifier] = (),
        references: StimulusSet | None = None,
        zoo: Mapping[str, Classifier] | None = None,
        store: Store | str | Path | None = None,
        progress: bool | None = None,
        scheduler: Any = None,
    ) -> None:
        if not isinstance(settings, StudySettings):
            raise TypeError(f"settings is {shown(settings)}: give StudySettings, or call Study.from_profile.")
        if references is not None and not isinstance(references, StimulusSet):
            raise TypeError(f"references is {shown(references)}: give a StimulusSet, such as load_stimuli() gives.")
        self.settings = settings
        if scheduler is not None:
            check_scheduler(scheduler)
        self._scheduler = scheduler
        self._subsets: dict[tuple, Study] = {}
        if zoo is None:
            zoo = ModelZoo(settings.zoo, device=settings.device, decision=settings.decision)
        elif settings.decision != getattr(zoo, "decision", "max_logit"):
            raise ValueError(
                f"decision is {settings.decision!r}, but the networks of the given zoo decide as they were made: make "
                "them with that decision, or leave it out."
            )
        self.zoo, self.networks = zoo, Networks(zoo, models)
        self.store = store if isinstance(store, Store) else Store.default() if store is None else Store(store)
        self._progress = progress
        self.given_references = references is not None
        if references is not None:
            self.references = references  # in the place of the cached property
        self.model_sets = self.networks.resolve(settings.model_sets)
        self.networks.load_named(settings.evaluators or ())
        check_keys(settings.evaluators or (), self.networks.keys, "evaluators")
        for key in {key for one in self.running_sets.values() for key in one.members}:
            for stage in set(settings.stages).difference(STAGES):
                self.networks.skeleton(key).layer(stage)  # raises where there is none

    @classmethod
    def from_profile(
        cls,
        profile: str | Path = "mini",
        *,
        models: Iterable[Classifier] = (),
        references: StimulusSet | None = None,
        store: Store | str | Path | None = None,
        progress: bool | None = None,
        scheduler: Any = None,
        photographs_needed: bool = True,
        **overrides: Any,
    ) -> "Study":
        """Set up a study from a profile, by name or as a YAML file, with some settings changed by their flat names."""
        settings = StudySettings.from_profile(profile, photographs_needed=photographs_needed, **overrides)
        return cls(settings, models=models, references=references, store=store, progress=progress, scheduler=scheduler)

    @classmethod
    def from_parameters(cls, variables: Mapping[str, Any], **options: Any) -> "Study":
        """Set up a study from a notebook's ``globals()``: its ``profile``, and every variable named as a setting."""
        settings = {name: variables[name] for name in setting_names() if name in variables}
        return cls.from_profile(variables["profile"], **options, **settings)

    def __repr__(self) -> str:
        settings = self.settings
        return f"Study({settings.profile!r}, {len(self.running_sets)} model sets, stages {list(settings.stages)})"

    @cached_property
    def references(self) -> StimulusSet:
        """The images that metamers are made of."""
        return self.settings.load_references()

    @cached_property
    def context(self) -> Context:
        """Images, networks and store, as tasks are computed from them."""
        return Context(
            self.references,
            self.networks.models,
            self.store,
            device=self.settings.device,
            batch_size=self.settings.batch_size,
            compile=self.settings.compile,
            progress=self._progress,
            scheduler=self._scheduler,
        )

    @property
    def running_sets(self) -> dict[str, ModelSet]:
        """The model sets of which enough networks are there: those that tables and figures show."""
        return {name: model_set for name, model_set in self.model_sets.items() if model_set.runs}

    @property
    def evaluators(self) -> tuple[str, ...]:
        """Keys of the networks that classify the metamers and are there; a set's own members are among them."""
        return tuple(key for key in self._wanted if key in self.networks.models)

    @property
    def missing_evaluators(self) -> tuple[str, ...]:
        """Keys of the networks that should classify the metamers, but whose weights are not there."""
        return tuple(key for key in self._wanted if key not in self.networks.models)

    def run(
        self, model_set: str | Sequence[str], stage: Stage, *, seed: int | None = None, **config: Any
    ) -> MetamerRun:
        """Describe the generation of the metamers of a set at a stage.

        The set is one of this study's or the zoo's by name, the key of a network, or a list of keys; `config` are
        fields of `GenerationConfig` to change. A MissingWeightsError says if too few of its networks are there.
        """
        chosen = self._model_set(model_set)
        if not chosen.runs:
            raise MissingWeightsError(
                f"model set {chosen.name!r} cannot run without the weights of {', '.join(chosen.missing)}: "
                f"{self.networks.hint(chosen.missing)}."
            )
        settings, changed = self.settings, self.settings.config.replace(**config)
        seed = settings.seed if seed is None else whole_number(seed, "seed", at_most=LARGEST_SEED)
        own = (changed, seed) == (settings.config, settings.seed) and stage in settings.stages
        own = own and chosen.name in self.running_sets
        return MetamerRun(
            stimuli=self._stimuli,
            models=tuple(self.networks.ref(key) for key in chosen.members),
            layers=tuple(self.networks.skeleton(key).layer(stage) for key in chosen.members),
            stage=stage,
            config=changed,
            seed=seed,
            name=chosen.name,
            precision=settings.precision,
            followed=tuple(first_of_each_category(self.references, 1)) if own else (),
        )

    @property
    def runs(self) -> list[MetamerRun]:
        """Every running set at every stage; a MissingWeightsError says why there is none."""
        if not self.running_sets:
            shortfalls = "; ".join(model_set.shortfall for model_set in self.model_sets.values())
            raise MissingWeightsError(f"no model set can run. {shortfalls}. {self.networks.hint()}.")
        return [self.run(name, stage) for name in self.running_sets for stage in self.settings.stages]

    def execute(
        self, tasks: Iterable[Task] | None = None, *, title: str = "metamers", skip_unusable: bool = False
    ) -> dict[str, str]:
        """Compute what the store lacks of some tasks, by default of the metamers of every set at every stage."""
        wanted = self.runs if tasks is None else tasks
        return execute(wanted, self.context, title=title, skip_unusable=skip_unusable)

    def result(self, task: Task) -> Any:
        """Return the result of a task, from the store or computed now."""
        self.execute([task], title=task.label)
        return self.context.result(task)

    def metamers(self, model_set: str | Sequence[str], stage: Stage, **changes: Any) -> Metamers:
        """Return the metamers of a set at a stage, as `run` describes them, from the store or computed now."""
        return self.result(self.run(model_set, stage, **changes))

    def subset(self, n_per_class: int | None, **config: Any) -> "Study":
        """Return the same study on the first images of each category (None: all), with another configuration."""
        key = (n_per_class, *sorted(config.items()))
        if key not in self._subsets:  # one per budget, so that its networks' fingerprints serve several tables
            self._subsets[key] = type(self)(
                dataclasses.replace(self.settings, config=self.settings.config.replace(**config)),
                models=self.networks.own.values(),
                references=self.references[first_of_each_category(self.references, n_per_class)],
                zoo=self.zoo,
                store=self.store,
                progress=self._progress,
                scheduler=self._scheduler,
            )
        return self._subsets[key]

    @property
    def with_subsets(self) -> list["Study"]:
        """The study itself, and those on fewer of its images that `subset` has made."""
        return [self, *self._subsets.values()]

    def describe(self) -> str:
        """Say in a few Markdown sentences what is run, and what is missing."""
        settings, missing = self.settings, self.missing_evaluators
        stages = ", ".join(f"{stage:.0%} depth" if isinstance(stage, float) else stage for stage in settings.stages)
        sets = "; ".join(f"{name} ({', '.join(one.members)})" for name, one in self.running_sets.items())
        preset = "" if settings.preset == "paper" else f" by the preset “{settings.preset}”"
        precision = "" if settings.precision == "float32" else f"; computed in {settings.precision}"
        decision = "" if settings.decision == "max_logit" else f", with the decision “{settings.decision}”"
        own = " and the caller's own" if self.networks.own else ""
        sentences = [
            f"Profile **{Path(settings.profile).stem}**: {self._images()}, seed {settings.seed}.",
            f"Model sets: {sets or 'none can run'}; stages: {stages}.",
            f"Budget: {_budget(settings.config)} per model{preset}{_departures(settings.config)}{precision}.",
            f"Evaluators: {counted(len(self.evaluators), 'network')} of the {settings.zoo} zoo{own} (a set's own "
            f"members left out of its averages); recognized by the criterion “{settings.criterion}”{decision}.",
        ]
        shortfalls = [one.shortfall for one in self.model_sets.values() if one.missing]
        if shortfalls:
            sentences.append(f"**Missing networks in model sets**: {'; '.join(shortfalls)}.")
        if missing:
            share = f"{len(self.evaluators)} of {len(self._wanted)}"
            sentences.append(f"**Missing evaluators**: averages run over {share}, without {', '.join(missing)}.")
        if shortfalls or missing:
            sentences.append(f"As to weights, {self.networks.hint()}.")
        return (_REHEARSAL if settings.zoo == "paper-untrained" else "") + " ".join(sentences)

    def scope(self) -> str:
        """Say in a Markdown sentence what the tables of a `subset` were computed on."""
        absent = f" (missing: {', '.join(self.missing_evaluators)})" if self.missing_evaluators else ""
        return (
            f"Computed on {counted(len(self.references), 'image')} of {self._categories()}, with "
            f"{_budget(self.settings.config)} per network; {len(self.evaluators)} networks classify{absent}."
        )

    def _images(self) -> str:
        origins = {
            "imagenet16": "photographs of ILSVRC 2012's validation set",
            "folder": f"photographs from `{self.settings.root}`",
            "objects16": "drawings of objects16",
        }
        what = "images" if self.given_references else origins[self.settings.stimuli]
        height, width = self.references.size
        return f"{len(self.references)} {what} of {self._categories()} at {height} × {width} px"

    def _categories(self) -> str:
        return counted(len(self.references.labels.unique()), "category")

    @cached_property
    def _stimuli(self) -> StimuliRef:
        names = ("stimuli", "root", "n_per_class", "size", "categories", "seed", "stimuli_seed")
        origin = {} if self.given_references else {name: getattr(self.settings, name) for name in names}
        images = self.references
        return StimuliRef(images.fingerprint, len(images), images.size, origin)

    @property
    def _wanted(self) -> tuple[str, ...]:
        return self.settings.evaluators or self.networks.evaluators

    def _model_set(self, choice: str | Sequence[str]) -> ModelSet:
        if isinstance(choice, str):
            return self.model_sets.get(choice) or self.networks.resolve([choice])[choice]
        choice = names(choice, "model_set")
        name = " + ".join(choice)
        return self.networks.resolve({name: choice})[name]


def first_of_each_category(references: StimulusSet, n_per_class: int | None) -> list[int]:
    """Return the rising positions of the first images of each category; None takes all."""
    labels = pd.Series(references.labels.tolist())
    return labels.index[labels.groupby(labels).cumcount() < (n_per_class or len(labels))].tolist()


def _budget(config: GenerationConfig) -> str:
    return f"{counted(config.repetitions, 'repetition')} × {counted(config.steps_per_model, 'step')}"


def _departures(config: GenerationConfig) -> str:
    """Name the settings, beside the budget, that are not Table 3's."""
    standard = vars(GenerationConfig(repetitions=config.repetitions, steps_per_model=config.steps_per_model))
    changed = [f"{name} {value!r}" for name, value in vars(config).items() if value != standard[name]]
    return f" (other than Table 3: {', '.join(changed)})" if changed else ", all else as in Table 3"
